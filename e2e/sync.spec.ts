// Playback in step: people in browsers of their own, in a call with camera and microphone, each behind a network of their own. What is
// asked of every run is that at each pause everybody sees the same frame, by its pixels. How close they are otherwise is noted in
// artifacts/sync.json; `make bench-sync` measures it at length, and docs/synchronisation.md has what it found.
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@playwright/test";
import { prepared } from "./lib/call.ts";
import { displayedFrame, type Making, makeClip, repeatClip } from "./lib/clip.ts";
import { Delay } from "./lib/delay.ts";
import { api, enter, invitation, makeFirstAccount } from "./lib/people.ts";
import { fill, launchChromium, press } from "./lib/plain.ts";
import { Server } from "./lib/server.ts";
import { allOnFrame, networks, noPause, now, Person, secondsLeft, standing, takeAll } from "./sync/cast.ts";
import { Figures } from "./sync/figures.ts";
import { stands, together } from "./sync/measure.ts";
import { notePause, noteRate, noteSeek, noteSteady, since } from "./sync/note.ts";
import { keepRecord, takeRecord } from "./sync/recorder.ts";

const long = process.env.SYNC === "long";

/** What went wrong in the long form, which goes on with the next part: half of the figures are better than none. */
const failures: string[] = [];

function part(name: string, run: () => Promise<void>): void {
  test(name, async () => {
    test.setTimeout(1_800_000);
    if (!long) return run();
    await run().catch((e: Error) => {
      console.log(`${name}: ${e.message}`); // said at once: a run that is ended says no more
      failures.push(`${name}: ${e.message}`);
    });
  });
}

/** What only says something at length. */
const atLength = long ? part : (_name: string, _run: () => Promise<void>) => {};
/** As heavy as a real lesson in 720p. */
const heavy: Making = { noise: 40, tall: 720 };
const pauseEvery = long ? 5 : 6; // seconds of the clip

test.describe.configure({ mode: "serial" });

const figures = new Figures();
const ofFour = new Figures();
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

test.afterEach(async () => {
  await mkdir("artifacts", { recursive: true });
  await writeFile("artifacts/sync.json", `${JSON.stringify({ ...figures.toJSON(), ofFour }, null, 2)}\n`);
});

test.afterAll(async () => {
  console.log(figures.table());
  if (long) console.log(`\nOf four people:\n\n${ofFour.table()}`);
  for (const person of people ?? []) await person.close();
  await server?.close();
  await rm(folder, { recursive: true, force: true });
});

const clips = new Map<string, Promise<string>>();

/** A prepared clip whose frames say their numbers; its id. Each is made once. */
function clipOf(seconds: number, fps: number, making: Making = {}): Promise<string> {
  const title = `${seconds} s, ${fps} frames a second, ${JSON.stringify(making)}`;
  const file = join(folder, `${clips.size}.mp4`);
  const clip = clips.get(title) ?? makeClip(file, seconds, fps, making).then(() => upload(file, title));
  clips.set(title, clip);
  return clip;
}

/** Uploads a clip as Amara; resolves with its id when it is prepared. */
async function upload(file: string, title: string): Promise<string> {
  const { page } = amara();
  for (const other of people.slice(1)) await other.page.goto("about:blank"); // a call takes the processors that preparing needs
  await page.goto(`${amara().origin}/clips/new`);
  await page.locator("input[type=file]").setInputFiles(file);
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
  await Promise.all([amara().click("Continue"), noPause(people)]);
}

const pass = (ms: number) => amara().page.waitForTimeout(ms); // the time over which it is measured

interface Prepared {
  frame: number;
  /** ms */
  think: number;
}

function preparedPauses(seconds: number, fps: number): Prepared[] {
  return Array.from({ length: Math.floor((seconds - 2) / pauseEvery) }, (_, i) => ({
    id: `0192f0c8-7b1e-7000-8000-0000000${String(10000 + i)}`,
    frame: Math.round((i + 1) * pauseEvery * fps) + (i % 7),
    prompt: `Question ${i + 1}`,
    think: i === 0 ? 30_000 : 0,
    talk: 0,
  }));
}

for (const [fps, seconds] of long ? [[30, 130] as const, [25, 130] as const] : [[30, 14] as const]) {
  part(`pauses, prepared and called, at ${fps} frames a second`, async () => {
    const pauses = preparedPauses(seconds, fps);
    await gathered(await clipOf(seconds, fps), pauses);
    await pauseTogether(figures, fps, pauses);
  });
}

/** Plays through a clip with prepared pauses; before each, somebody calls one. */
async function pauseTogether(into: Figures, fps: number, pauses: Prepared[]): Promise<void> {
  await takeAll(people);
  await play();
  for (const { frame, think } of pauses) {
    await pass(long ? 2200 : 2500);
    await mei().click("Call a pause");
    const called = await framesShown();
    notePause(into, "called", await takeAll(people), fps, called);
    expect(new Set(called).size, `frames of a called pause: ${called}`).toBe(1);
    await goOn();
    const prepared = await framesShown();
    notePause(into, "prepared", await takeAll(people), fps, prepared, frame);
    expect(prepared, "frames of a prepared pause").toEqual(people.map(() => frame));
    if (think > 0) {
      const left = await secondsLeft(people);
      expect(Math.max(...left) - Math.min(...left), `seconds left to think: ${left}`).toBeLessThanOrEqual(1);
    }
    await goOn();
  }
}

atLength("four people pause together", async () => {
  const [fps, seconds] = [30, 60];
  const pauses = preparedPauses(seconds, fps);
  const session = await gathered(await clipOf(seconds, fps), pauses);
  const fourth = await Person.start(server, networks[1] ?? networks[0]);
  try {
    await enter(fourth.page, await invitation(amara().page, session, "peer", fourth.origin), "Jonas", null);
    people.push(fourth);
    await allIn();
    await pauseTogether(ofFour, fps, pauses);
  } finally {
    people.splice(3);
    await fourth.close();
  }
  await expect(amara().page.getByTestId("participant")).toHaveCount(3, { timeout: 60_000 });
});

atLength("steady play, in which the controls are handed over, then seeks and other speeds", async () => {
  const [fps, seconds] = [30, 320];
  await gathered(await clipOf(seconds, fps));
  const seeks = people.map(() => 0);
  // Ten minutes, in two parts of a clip that is half as long: nobody waits for a longer one to be prepared.
  for (let part = 0; part < 2; part++) {
    await amara().page.getByRole("slider", { name: "Clip position" }).press("Home");
    await takeAll(people);
    await play();
    await pass(150_000);
    await handOver("Hand over the controls");
    await pass(5000);
    await handOver("Take the controls back");
    await pass(145_000);
    const found = noteSteady(figures, await takeAll(people), fps);
    found.forEach((n, i) => {
      seeks[i] = (seeks[i] ?? 0) + n;
    });
    await amara().click("Stop");
  }
  for (const n of seeks) figures.add("corrective seeks in ten minutes of steady play", n);
  await amara().page.getByRole("slider", { name: "Clip position" }).press("Home");
  await play();
  await pass(15_000);
  for (let i = 0; i < 24; i++) {
    await takeAll(people);
    await amara().press(i % 2 === 0 ? "ArrowLeft" : "ArrowRight");
    await pass(2500);
    noteSeek(figures, await takeAll(people), now());
  }
  // Twelve in 1.6 s: the last one counts, and everybody gets there.
  for (let i = 0; i < 12; i++) {
    await amara().press("ArrowLeft");
    await pass(133);
  }
  const stormed = now();
  await pass(4000);
  figures.add("in step after twelve seeks, ms", since(stormed, together(await takeAll(people), stormed, now())));
  for (const rate of ["0.5×", "1.5×", "2×"]) {
    await amara()
      .page.getByRole("button", { name: /^Speed/ })
      .click();
    await amara().page.getByRole("menuitemradio", { name: rate, exact: true }).click();
    await pass(4000);
    await takeAll(people);
    await pass(6000);
    noteRate(figures, await takeAll(people), now());
  }
});

/** Amara hands the controls to Mei in the list of people, or takes them back. */
async function handOver(what: string): Promise<void> {
  const { page } = amara();
  await page.getByRole("button", { name: "People", exact: true }).click();
  await page.getByRole("button", { name: "More for Mei" }).click();
  await page.getByRole("menuitem", { name: what }).click();
  await page.getByRole("button", { name: "People", exact: true }).click();
}

part("one who was handed the controls, one who looks around alone, one who is cut off for seven seconds", async () => {
  await gathered(await clipOf(long ? 130 : 60, 30));
  await play();
  await handOver("Hand over the controls");
  await mei().click("Stop");
  const stood = await standing(people);
  await mei().press(".");
  await mei().press(".");
  const stepped = () => Promise.all(people.map(({ page }) => displayedFrame(page)));
  await expect.poll(stepped, { message: "frames after two steps" }).toEqual(people.map(() => stood + 2));
  await mei().click("Play");
  await handOver("Take the controls back");
  await mei().press("l");
  await pass(1000);
  await takeAll(people);
  const looked = now();
  await mei().press("l");
  await pass(2500);
  const after = together(await takeAll(people), looked, now());
  figures.add("in step after looking around alone, ms", since(looked, after));
  await mei().press("l");
  await expect(mei().page.getByText("You look around on your own.").first()).toBeVisible();
  await mei().press("ArrowRight");
  await amara().click("Call a pause");
  await expect(amara().page.getByText("2 of 3 on this frame, Mei is looking around").first()).toBeVisible();
  await mei().press("l");
  const frames = await framesShown();
  expect(new Set(frames).size, `frames after one came back: ${frames}`).toBe(1);
  await goOn();
  for (let i = 0; i < (long ? 3 : 1); i++) {
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
  const session = await gathered(await clipOf(130, 30));
  await play();
  for (let i = 0; i < 3; i++) {
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

atLength(
  "a tab that lies behind another stops with the others, and is in step when it is looked at again",
  async () => {
    const session = await gathered(await clipOf(130, 30));
    const delay = await Delay.start(server.port, networks[1] ?? networks[0]);
    const browser = await launchChromium();
    try {
      const page = await browser.newPage();
      await page.evaluateOnNewDocument(keepRecord);
      await page.goto(await invitation(amara().page, session, "peer", delay.url));
      await fill(page, "Your name", "Hidden");
      await press(page, "Join");
      await expect(amara().page.getByTestId("participant")).toHaveCount(4, { timeout: 60_000 });
      const other = await browser.newPage();
      await other.bringToFront();
      expect(await page.evaluate(() => document.visibilityState)).toBe("hidden");
      await play();
      for (let i = 0; i < 3; i++) {
        await pass(6000);
        await amara().click("Call a pause");
        await expect(amara().page.getByText("4 of 4 on this frame").first()).toBeVisible();
        const hidden = await page.$eval('[data-testid="clip"]', (v) => (v as HTMLVideoElement).currentTime);
        figures.add(
          "a hidden tab stops off the others' frame, frames",
          Math.abs(Math.floor(hidden * 30) - (await displayedFrame(amara().page))),
        );
        await goOn();
      }
      await pass(3000);
      await page.bringToFront();
      const seen = now();
      await takeAll(people);
      await page.evaluate(takeRecord);
      await pass(4000);
      const records = [await amara().take(), await page.evaluate(takeRecord)];
      figures.add("in step after a hidden tab is looked at again, ms", since(seen, together(records, seen, now())));
    } finally {
      await browser.close();
      await delay.close();
    }
    await expect(amara().page.getByTestId("participant")).toHaveCount(3, { timeout: 60_000 });
  },
);

atLength("a slow link holds up its owner, not the others", async () => {
  const fps = 30;
  await gathered(await clipOf(40, fps, heavy));
  await play();
  await pass(1000);
  await takeAll(people);
  await mei().change({ ...mei().network, rate: 150 });
  await amara().page.getByRole("slider", { name: "Clip position" }).press("PageUp"); // beyond what is buffered
  const sign = mei().page.getByText("Catching up with the others…").first();
  const told = sign.waitFor({ timeout: 14_000 }).then(
    () => true,
    () => false,
  );
  await pass(8000);
  await mei().change(mei().network);
  const relieved = now();
  await pass(6000);
  const records = await takeAll(people);
  for (const r of records.slice(0, 2)) {
    const all = stands(r);
    figures.add("others frozen while one is starved, ms", Math.max(0, ...all));
    figures.add("times that the others stood still while one is starved", all.length);
  }
  figures.add("everyone within 40 ms after relief, ms", since(relieved, together(records, relieved, now())));
  expect(await told, "a sign that one catches up").toBe(true);
});

atLength("a weak network takes the small pictures by itself, and keeps the frame", async () => {
  await gathered(await clipOf(40, 30, heavy));
  await mei().change({ ...mei().network, rate: 1500 });
  await play();
  const lines = () =>
    mei()
      .page.getByTestId("clip")
      .evaluate((v) => (v as HTMLVideoElement).videoHeight);
  await expect.poll(lines, { timeout: 60_000 }).toBe(360);
  for (let i = 0; i < 3; i++) {
    await pass(4000);
    await tomasz().click("Call a pause");
    const frames = await framesShown();
    expect(new Set(frames).size, `frames of a pause, one of them of a small picture: ${frames}`).toBe(1);
    await goOn();
  }
  await mei().change(mei().network);
});

atLength("people who sit together hear one device, and are in step", async () => {
  await gathered(await clipOf(130, 30));
  await sitsTogether(tomasz());
  await sitsTogether(mei());
  await play();
  await pass(4000);
  const audible = () =>
    [...document.querySelectorAll<HTMLMediaElement>("audio, video")].some((m) => !m.muted && m.volume > 0);
  const heard = await Promise.all(people.map(({ page }) => page.evaluate(audible)));
  expect(heard, "who hears anything").toEqual([true, false, false]);
  await tomasz().click("Call a pause");
  const frames = await framesShown();
  expect(new Set(frames).size, `frames of people who sit together: ${frames}`).toBe(1);
});

async function sitsTogether({ page }: Person): Promise<void> {
  await page.getByRole("button", { name: "Settings" }).first().click();
  await page.getByLabel("We sit together").check();
  await page.keyboard.press("Escape");
}

atLength("a browser that is short of CPU stops on the same frame", async () => {
  const fps = 30;
  const seconds = 32;
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

/** What a promise comes to, or why it is given up. */
function within<T>(ms: number, what: string, promise: Promise<T>): Promise<T> {
  const over = new Promise<never>((_, reject) => {
    setTimeout(() => reject(new Error(`${what} took more than ${ms / 1000} s`)), ms).unref();
  });
  return Promise.race([promise, over]);
}

// The last one: where preparing that clip takes longer than a run can wait, all else has been measured.
atLength("a clip of two hours", async () => {
  const [minute, hours] = [join(folder, "minute.mp4"), join(folder, "hours.mp4")];
  await makeClip(minute, 60, 10, { tall: 180 }); // few and small pictures: it is long enough to prepare
  await repeatClip(minute, hours, 120);
  await gathered(await within(900_000, "preparing a clip of two hours", upload(hours, "Two hours")));
  const slider = amara().page.getByRole("slider", { name: "Clip position" });
  const far: [string, number][] = [
    ["Home", 0],
    ["End", 7000],
  ];
  for (const [key, least] of far) {
    await slider.press(key);
    if (key === "End") await slider.press("PageDown");
    await takeAll(people);
    await play();
    await pass(5000);
    await mei().click("Call a pause");
    const frames = await framesShown();
    expect(new Set(frames).size, `frames after ${least} s: ${frames}`).toBe(1);
    const time = await amara()
      .page.getByTestId("clip")
      .evaluate((v) => (v as HTMLVideoElement).currentTime);
    expect(time, "where the clip stands, s").toBeGreaterThan(least);
    await goOn();
  }
});

if (long) test("nothing went wrong", () => expect(failures).toEqual([]));
