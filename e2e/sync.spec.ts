// Playback in step: people in browsers of their own, in a call with camera and microphone, each behind a network of their own. What is
// asked of every run is that at each pause everybody sees the same frame, by its pixels. How close they are otherwise is noted in
// artifacts/sync.json; `make bench-sync` measures it at length, and docs/synchronisation.md has what it found.
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@playwright/test";
import { prepared } from "./lib/call.ts";
import { displayedFrame, makeClip } from "./lib/clip.ts";
import { api, enter, invitation, makeFirstAccount } from "./lib/people.ts";
import { Server } from "./lib/server.ts";
import { allOnFrame, networks, now, Person, takeAll } from "./sync/cast.ts";
import { Figures } from "./sync/figures.ts";
import { together } from "./sync/measure.ts";
import { notePause, noteSteady } from "./sync/note.ts";
import type { Record } from "./sync/recorder.ts";

const long = process.env.SYNC === "long";
/** What only says something at length. */
const atLength = long ? test : (_name: string, _run: () => Promise<void>) => {};
const pauseEvery = 6; // seconds of the clip

test.describe.configure({ mode: "serial" });

const figures = new Figures();
let server: Server;
let folder: string;
let people: Person[];
const amara = () => people[0] as Person;
const tomasz = () => people[1] as Person;
const mei = () => people[2] as Person;

test.beforeAll(async () => {
  test.setTimeout(120_000);
  folder = await mkdtemp(join(tmpdir(), "pausepoint-sync-"));
  server = await Server.start();
  people = [];
  for (const network of networks) people.push(await Person.start(server, network));
  await makeFirstAccount(amara().page, server, amara().origin);
});

test.afterAll(async () => {
  await mkdir("artifacts", { recursive: true });
  await writeFile("artifacts/sync.json", `${JSON.stringify(figures, null, 2)}\n`);
  console.log(figures.table());
  for (const person of people ?? []) await person.close();
  await server?.close();
  await rm(folder, { recursive: true, force: true });
});

/** A prepared clip whose frames say their numbers; its id. */
async function clipOf(seconds: number, fps: number, noise = 0): Promise<string> {
  const file = join(folder, `${fps}-${seconds}-${noise}.mp4`);
  await makeClip(file, seconds, fps, noise);
  const { page } = amara();
  await page.goto(`${amara().origin}/clips/new`);
  await page.locator("input[type=file]").setInputFiles(file);
  const title = `${seconds} s, ${fps} frames a second, noise ${noise}`;
  await page.getByLabel("Title").fill(title);
  return (await prepared(page, (c) => c.title === title)).id;
}

/** Everybody is in a new session with that clip, in the call with picture and sound, and the clip can be played. */
async function gathered(clip: string, pauses: object[] = []): Promise<string> {
  const { id } = await api<{ id: string }>(amara().page, "POST", "/api/sessions", {
    kind: "conversation",
    title: "In step",
    clip,
    recorded: false,
    pauses,
  });
  await enter(amara().page, `${amara().origin}/s/${id}`, undefined, null);
  await enter(tomasz().page, await invitation(amara().page, id, "coach", tomasz().origin), "Tomasz", null);
  await enter(mei().page, await invitation(amara().page, id, "peer", mei().origin), "Mei", null);
  await allIn();
  return id;
}

async function allIn(): Promise<void> {
  for (const { page } of people) {
    await expect(page.getByTestId("participant")).toHaveCount(people.length, { timeout: 60_000 });
    await expect
      .poll(() => page.getByTestId("clip").evaluate((v) => (v as HTMLVideoElement).readyState), { timeout: 60_000 })
      .toBeGreaterThanOrEqual(3);
  }
}

/** Everybody stands at a pause: the frames on their screens, by the pixels. */
async function framesShown(): Promise<number[]> {
  await allOnFrame(people);
  return Promise.all(people.map(({ page }) => displayedFrame(page)));
}

const play = () => amara().click("Play");
/** Whoever leads goes on; resolves when the pause is over on every screen. */
async function goOn(): Promise<void> {
  await amara().click("Continue");
  for (const { page } of people) await expect(page.getByText(/on this frame/)).toHaveCount(0);
}

const pass = (ms: number) => amara().page.waitForTimeout(ms); // the time over which it is measured

function preparedPauses(seconds: number, fps: number): { frame: number }[] {
  return Array.from({ length: Math.floor((seconds - 2) / pauseEvery) }, (_, i) => ({
    id: `0192f0c8-7b1e-7000-8000-0000000${String(10000 + i)}`,
    frame: Math.round((i + 1) * pauseEvery * fps) + (i % 7),
    prompt: `Question ${i + 1}`,
    think: 0,
    talk: 0,
  }));
}

for (const [fps, seconds] of long ? [[30, 140] as const, [25, 140] as const] : [[30, 14] as const]) {
  test(`pauses, prepared and called, at ${fps} frames a second`, async () => {
    test.setTimeout(seconds * 10_000 + 600_000);
    const pauses = preparedPauses(seconds, fps);
    await gathered(await clipOf(seconds, fps), pauses);
    await takeAll(people);
    await play();
    for (const { frame } of pauses) {
      await pass(2500);
      await mei().click("Call a pause");
      const called = await framesShown();
      notePause(figures, "called", await takeAll(people), fps, called);
      expect(new Set(called).size, `frames of a called pause: ${called}`).toBe(1);
      await goOn();
      const prepared = await framesShown();
      notePause(figures, "prepared", await takeAll(people), fps, prepared, frame);
      expect(prepared, "frames of a prepared pause").toEqual(people.map(() => frame));
      await goOn();
    }
  });
}

atLength("steady play, and seeks", async () => {
  test.setTimeout(1_800_000);
  const [fps, seconds] = [30, 660];
  await gathered(await clipOf(seconds, fps));
  await takeAll(people);
  await play();
  await pass(600_000);
  noteSteady(figures, await takeAll(people), fps);
  for (let i = 0; i < 20; i++) {
    await amara().press(i % 2 === 0 ? "ArrowLeft" : "ArrowRight");
    await pass(2500);
    noteSeek(await takeAll(people));
  }
  // Twelve in 1.6 s: the last one counts, and everybody gets there.
  for (let i = 0; i < 12; i++) {
    await amara().press("ArrowLeft");
    await pass(133);
  }
  const stormed = now();
  await pass(4000);
  figures.add("in step after twelve seeks, ms", since(stormed, together(await takeAll(people), stormed, now())));
});

function noteSeek(records: Record[]): void {
  const began = Math.min(...records.map((r) => r.events.find((e) => e.type === "seeking")?.at ?? Infinity));
  figures.add("within 40 ms after a buffered seek, ms", since(began, together(records, began, now())));
}

function since(began: number, at: number | null): number {
  return at === null ? Infinity : at - began;
}

test("somebody is cut off for seven seconds", async () => {
  test.setTimeout(600_000);
  await gathered(await clipOf(long ? 120 : 40, 30));
  await play();
  for (let i = 0; i < (long ? 5 : 1); i++) {
    await mei().outage(true);
    await pass(3000);
    await amara().click("Call a pause");
    await pass(4000);
    await mei().take();
    await mei().outage(false);
    const back = now();
    const frames = await framesShown();
    expect(new Set(frames).size, `frames after an outage: ${frames}`).toBe(1);
    const shown = (await mei().take()).shown.at(-1)?.at ?? back;
    figures.add("same frame again after an outage of 7 s, ms", Math.max(0, shown - back));
    await goOn();
    await pass(3000);
  }
});

atLength("somebody comes late", async () => {
  test.setTimeout(600_000);
  const session = await gathered(await clipOf(240, 30));
  await play();
  for (let i = 0; i < 5; i++) {
    const late = await Person.start(server, networks[1] ?? networks[0]);
    await late.page.goto(await invitation(amara().page, session, "peer", late.origin));
    await late.page.getByLabel("Your name").fill(`Late ${i}`);
    await takeAll(people);
    const pressed = now();
    await late.click("Join");
    await expect(late.page.getByTestId("clip")).toBeVisible();
    await pass(6000);
    const records = [await amara().take(), await late.take()];
    figures.add("late joiner in step, ms", since(pressed, together(records, pressed, now())));
    await late.close();
    await expect(amara().page.getByTestId("participant")).toHaveCount(3, { timeout: 60_000 });
  }
});

atLength("a slow link holds up its owner, not the others", async () => {
  test.setTimeout(600_000);
  const fps = 30;
  await gathered(await clipOf(120, fps, 60));
  await play();
  await pass(1000);
  await takeAll(people);
  await mei().change({ ...mei().network, rate: 150 });
  await amara().page.getByRole("slider", { name: "Clip position" }).press("PageDown"); // beyond what is buffered
  await pass(8000);
  await mei().change(mei().network);
  const relieved = now();
  await pass(6000);
  const records = await takeAll(people);
  for (const r of records.slice(0, 2)) figures.add("others frozen while one is starved, ms", longestStill(r));
  figures.add("everyone within 40 ms after relief, ms", since(relieved, together(records, relieved, now())));
});

/** For how long an element's time did not move, at most. */
function longestStill({ ticks }: Record): number {
  let longest = 0;
  let moved = ticks[0];
  for (const t of ticks) {
    if (moved && Math.abs(t.time - moved.time) < 0.001) longest = Math.max(longest, t.at - moved.at);
    else moved = t;
  }
  return longest;
}

atLength("a browser that is short of CPU stops on the same frame", async () => {
  test.setTimeout(600_000);
  const fps = 30;
  const seconds = 62;
  const pauses = preparedPauses(seconds, fps);
  await gathered(await clipOf(seconds, fps), pauses);
  const cdp = await tomasz().page.context().newCDPSession(tomasz().page);
  await cdp.send("Emulation.setCPUThrottlingRate", { rate: 6 });
  await play();
  for (const { frame } of pauses) {
    expect(await framesShown(), "frames of a prepared pause").toEqual(people.map(() => frame));
    await goOn();
  }
});
