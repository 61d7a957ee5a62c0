// How quickly a replay starts and seeks, in Chromium and in Firefox: four people beside a clip are recorded for three minutes, in one go.
// It runs only for `make bench-replay`, on a machine that has nothing else to do; docs/recording.md has what it found. That a seek shows
// the right moment is what replay.spec.ts asks of every run.
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, expect, type Page, test } from "@playwright/test";
import { type Arrival, aimOf, common, open, type Replay, seek, type Tab, tabOf, tabOfFirefox } from "./lib/arrive.ts";
import { endForEveryone, prepared, seesAll } from "./lib/call.ts";
import { makeClip, repeatClip } from "./lib/clip.ts";
import { api, enter, invitation, makeFirstAccount, newPerson } from "./lib/people.ts";
import { launchFirefox, press, signIn } from "./lib/plain.ts";
import { Server } from "./lib/server.ts";
import { percentile } from "./sync/measure.ts";

const seconds = Number(process.env.REPLAY_SECONDS ?? 180);
const times = 20;
/** Who comes to Amara. */
const others = ["Tomasz", "Mei", "Leila"];

const figures: Record<string, { p50: number; p95: number; max: number; n: number }> = {};

function note(name: string, found: number[]): void {
  const part = (p: number) => Math.round(percentile(found, p));
  figures[name] = { p50: part(0.5), p95: part(0.95), max: part(1), n: found.length };
}

/** Without a pattern: everybody has other numbers, and every run the same. */
let seed = 1;
function random(): number {
  seed = (seed * 48271) % 2147483647;
  return seed / 2147483647;
}

interface Stage {
  server: Server;
  folder: string;
  amara: Page;
  address: string;
  replay: Replay;
}

/** Everybody is recorded while the clip plays. */
async function recorded(browser: Browser): Promise<Stage> {
  const server = await Server.start();
  const folder = await mkdtemp(join(tmpdir(), "pausepoint-seek-"));
  const amara = await newPerson(browser);
  await makeFirstAccount(amara, server, server.url);
  const [part, file] = [join(folder, "part.mp4"), join(folder, "lesson.mp4")];
  await makeClip(part, 10, 30, { noise: 40, tall: 720 }); // as heavy as a real lesson
  await repeatClip(part, file, Math.ceil((seconds + 20) / 10));
  await amara.goto(`${server.url}/clips/new`);
  await amara.locator("input[type=file]").setInputFiles(file);
  await amara.getByLabel("Title").fill("A lesson");
  const clip = (await prepared(amara, (c) => c.title === "A lesson")).id;
  const { id } = await api<{ id: string }>(amara, "POST", "/api/sessions", {
    kind: "conversation",
    title: "A day",
    clip,
    recorded: true,
  });
  await enter(amara, `${server.url}/s/${id}`);
  const guests: Page[] = [];
  for (const name of others) {
    const page = await newPerson(browser);
    await enter(page, await invitation(amara, id, "peer", server.url), name);
    guests.push(page);
  }
  for (const page of [amara, ...guests]) await seesAll(page, others.length + 1);
  await amara.getByRole("button", { name: "Record", exact: true }).click();
  await expect(amara.getByText(/Recording since/).first()).toBeVisible();
  await amara.getByRole("button", { name: "Play", exact: true }).click();
  await amara.waitForTimeout(seconds * 1000);
  await endForEveryone(amara);
  for (const page of guests) await page.context().close();
  const tracks = async () => {
    const { segments } = await api<Replay>(amara, "GET", `/api/sessions/${id}/replay`);
    return new Set(segments.map((s) => s.member + s.source)).size;
  };
  await expect.poll(tracks).toBe(2 * (others.length + 1));
  const replay = await api<Replay>(amara, "GET", `/api/sessions/${id}/replay`);
  return { server, folder, amara, address: `${server.url}/s/${id}/replay`, replay };
}

/** Of what was recorded, what matters for the figures. */
function describeRecording(replay: Replay): void {
  const cameras = replay.segments.filter((s) => s.source === "camera");
  const lengths = cameras.map((s) => s.end - s.start);
  note("length of a segment of pictures, ms", lengths);
  const bits = cameras.reduce((sum, s) => sum + s.bytes * 8, 0) / lengths.reduce((a, b) => a + b, 0);
  console.log(
    `${cameras.length} segments of pictures, ${replay.segments.length} in all; pictures ${bits.toFixed(0)} kbit/s`,
  );
}

/** Opens the replay again and again and goes far each time; then from here to there. */
async function measure(name: string, tab: Tab, { replay, address }: Stage, stop: () => Promise<void>): Promise<void> {
  const { from, to } = common(replay);
  const third = (to - from) / 3;
  const moving = aimOf(replay, true);
  const still = aimOf(replay, false);
  const starts: Arrival[] = [];
  const far: Arrival[] = [];
  const near: Arrival[] = [];
  const stood: Arrival[] = [];
  await open(tab, moving, address, from + 1000); // the page itself is in the browser's cache from here on
  for (let i = 0; i < times; i++) {
    const [a, b] = [from + random() * third, to - 3000 - random() * (third - 3000)];
    const [at, then] = i % 2 === 0 ? [a, b] : [b, a];
    starts.push(await open(tab, moving, address, at));
    await new Promise((done) => setTimeout(done, 1500)); // somebody looks at it
    far.push(await seek(tab, moving, then));
  }
  const places = (): number[] => Array.from({ length: times }, () => from + 1000 + random() * (to - from - 6000));
  for (const place of places()) {
    await new Promise((done) => setTimeout(done, 1000));
    near.push(await seek(tab, moving, place));
  }
  await stop();
  for (const place of places()) {
    await new Promise((done) => setTimeout(done, 300));
    stood.push(await seek(tab, still, place));
  }
  const took = (list: Arrival[]) => list.map((a) => a.took);
  note(`${name}: from opening the page until everybody moves, ms`, took(starts));
  note(
    `${name}: of that, until Play could be pressed, ms`,
    starts.map((a) => a.pressed),
  );
  note(
    `${name}: from pressing Play until everybody moves, ms`,
    starts.map((a) => a.took - a.pressed),
  );
  note(`${name}: seek while playing, to what was not fetched, ms`, took(far.filter((a) => !a.buffered)));
  note(`${name}: seek while playing, here and there, ms`, took(near));
  note(`${name}: seek while it stands, ms`, took(stood));
  for (const [what, list] of Object.entries({
    start: starts,
    "seek far": far,
    seek: near,
    "seek while it stands": stood,
  })) {
    const worst = list.reduce((a, b) => (b.took > a.took ? b : a));
    console.log(
      `${name}, longest ${what}: ${Math.round(worst.took)} ms to ${Math.round(worst.place)}, parts:`,
      worst.parts,
    );
  }
}

if (process.env.REPLAY === "long")
  test("a replay starts and seeks", async ({ browser }) => {
    test.setTimeout(1_800_000);
    const stage = await recorded(browser);
    const { server, folder, amara } = stage;
    try {
      describeRecording(stage.replay);
      const stop = () => amara.getByRole("button", { name: "Stop", exact: true }).click();
      await measure("Chromium", tabOf(amara), stage, stop);
      await amara.context().close();
      await inFirefox(stage);
    } finally {
      await server.close();
      await rm(folder, { recursive: true, force: true });
      await mkdir("artifacts", { recursive: true });
      await writeFile("artifacts/replay.json", `${JSON.stringify(figures, null, 2)}\n`);
      const rows = Object.entries(figures).map(([k, f]) => `| ${k} | ${f.p50} | ${f.p95} | ${f.max} | ${f.n} |`);
      console.log(["| measure | median | 95th | largest | of |", "|---|---|---|---|---|", ...rows].join("\n"));
    }
  });

async function inFirefox(stage: Stage): Promise<void> {
  const firefox = await launchFirefox();
  try {
    const page = await firefox.newPage();
    page.setDefaultTimeout(90_000);
    await signIn(page, stage.server.url);
    await measure("Firefox", tabOfFirefox(page), stage, () => press(page, "Stop"));
  } finally {
    await firefox.close();
  }
}
