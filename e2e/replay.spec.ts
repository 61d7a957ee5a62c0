// What was recorded of a person replays in the browser itself, in Chromium and in Firefox: picture and sound run on session time, and a
// seek shows the moment that it went to. How long that takes is measured in seek.spec.ts.
import { expect, type Page, test } from "@playwright/test";
import type { Browser as Firefox, Page as FirefoxPage } from "puppeteer-core";
import { aimOf, common, type Replay, seek, type Tab, tabOf, tabOfFirefox } from "./lib/arrive.ts";
import { endForEveryone, planned } from "./lib/call.ts";
import { look } from "./lib/look.ts";
import { missing, type Picture, pictures, picturesIn } from "./lib/media.ts";
import { api, enter, makeFirstAccount, newPerson } from "./lib/people.ts";
import { launchFirefox, press, signIn } from "./lib/plain.ts";
import { Server } from "./lib/server.ts";

/** How long, ms: the first file of pictures has at most 15 s. */
const recorded = 18_000;

const artifacts = new URL("./artifacts/", import.meta.url).pathname;

let server: Server;
let amara: Page;
/** Of the replay, from the moment at which both picture and sound are there. */
let address: string;
let whole: Replay;

/** Where one file of pictures ends and the next begins; 0 where they do not meet. */
function seamOf(replay: Replay): number {
  const pictures = replay.segments.filter((s) => s.source === "camera");
  return pictures.find((s) => pictures.some((next) => next !== s && Math.abs(next.start - s.end) < 100))?.end ?? 0;
}

/** Amara is recorded until there are several files of her pictures. */
test.beforeAll(async ({ browser }) => {
  server = await Server.start();
  amara = await newPerson(browser);
  await makeFirstAccount(amara, server, server.url);
  const session = await planned(amara, { recorded: true });
  const replay = () => api<Replay>(amara, "GET", `/api/sessions/${session}/replay`);
  await enter(amara, `${server.url}/s/${session}`);
  await expect.poll(() => amara.evaluate(kindsSent), { timeout: 60_000 }).toBe(2);
  await amara.getByRole("button", { name: "Record", exact: true }).click();
  await expect(amara.getByText(/Recording since/).first()).toBeVisible();
  await amara.waitForTimeout(recorded);
  await endForEveryone(amara);
  const kept = async () => [...new Set((await replay()).segments.map((s) => s.mime))].sort();
  await expect.poll(kept).toEqual(['audio/webm; codecs="opus"', 'video/webm; codecs="vp8"']);
  whole = await replay();
  expect(seamOf(whole), JSON.stringify(whole.segments)).toBeGreaterThan(0);
  address = `${server.url}/s/${session}/replay?t=${(common(whole).from / 1000).toFixed(3)}`;
});

test.afterAll(async () => {
  await amara?.context().close();
  await server?.close();
});

/** In a page: how many kinds of media it sends, of sound and pictures. */
async function kindsSent(): Promise<number> {
  const kinds = new Set<string>();
  for (const peer of (window as unknown as { __peers: RTCPeerConnection[] }).__peers)
    for (const s of (await peer.getStats()).values())
      if (s.type === "outbound-rtp" && s.packetsSent > 0) kinds.add(s.kind);
  return kinds.size;
}

/** Resolves when, after a press on Play, picture and sound have both played for a second. */
async function plays(
  picture: () => Promise<Picture[]>,
  voice: () => Promise<Voice[]>,
  press: () => Promise<void>,
): Promise<void> {
  await expect.poll(async () => (await picture()).filter((p) => p.light > 8 && p.range > 16).length).toBe(1);
  const before = (await picture())[0]?.time ?? Infinity;
  await press();
  await expect.poll(async () => (await picture())[0]?.time ?? 0).toBeGreaterThan(before + 1);
  await expect.poll(async () => (await voice())[0]?.time ?? 0).toBeGreaterThan(before + 1);
  expect((await voice()).map((v) => v.muted)).toEqual([false]);
}

/** Goes to moments in both files and beside the seam between them, while it plays and while it stands: each is shown. */
async function seeks(tab: Tab, press: () => Promise<void>): Promise<void> {
  const seam = seamOf(whole);
  const places = [seam + 1500, seam - 7000, seam - 1000, seam + 500];
  for (const to of places) expect((await seek(tab, aimOf(whole, true), to)).place).toBeCloseTo(to, -3);
  await press();
  for (const to of places) await seek(tab, aimOf(whole, false), to);
}

interface Voice {
  /** Seconds that the element has played. */
  time: number;
  muted: boolean;
}

/** In a page: where its voices are. */
function voicesIn(elements: Element[]): Voice[] {
  return elements.map((element) => {
    const { currentTime, muted } = element as HTMLAudioElement;
    return { time: currentTime, muted };
  });
}

test("Chromium plays a replay", async () => {
  await amara.goto(address);
  await plays(
    () => pictures(amara),
    () => amara.getByTestId("voice").evaluateAll(voicesIn),
    () => amara.getByRole("button", { name: "Play", exact: true }).click(),
  );
  await seeks(tabOf(amara), () => amara.getByRole("button", { name: "Stop", exact: true }).click());
});

test("a file of pictures that reaches into the next one, which is there already, spoils nothing of that", async () => {
  const seam = seamOf(whole);
  const segments = whole.segments.map((s) => (Math.abs(s.start - seam) < 100 ? { ...s, start: s.start - 1 } : s));
  const manifest = "**/api/sessions/*/replay";
  await amara.route(manifest, (route) => route.fulfill({ json: { ...whole, segments } }));
  await amara.goto(address.replace(/t=.*/, `t=${((seam + 500) / 1000).toFixed(3)}`));
  const cameras = segments.filter((s) => s.source === "camera");
  await expect.poll(() => missing(amara, cameras)).toEqual([]);
  await amara.unroute(manifest);
});

test("what is missing, and where thinking turned to talking, can be read on the timeline", async () => {
  const at = Math.round(common(whole).from);
  const reason = "The server's disk is full: nothing is being recorded.";
  const recording = { state: "on", since: 0, by: "" };
  const hold = { id: "h", prompt: "What did he ask?", by: "Amara", began: at, phase: "thinking", think: 2000, talk: 0 };
  const added = [
    { at, type: "hold.began", data: { hold, playback: { mode: "holding", position: 0, at } } },
    { at: at + 1000, type: "recording.changed", data: { recording: { ...recording, reason, missingFrom: at + 500 } } },
    { at: at + 2000, type: "hold.phase", data: { hold: "h", phase: "talking", since: at + 2000 } },
    { at: at + 3000, type: "recording.changed", data: { recording } },
    { at: at + 6000, type: "hold.ended", data: { hold: "h" } },
  ];
  const events = [...whole.events, ...added].sort((a, b) => (a.at ?? 0) - (b.at ?? 0));
  const manifest = "**/api/sessions/*/replay";
  await amara.route(manifest, (route) => route.fulfill({ json: { ...whole, events } }));
  await amara.goto(address.replace(/t=.*/, `t=${((at + 1500) / 1000).toFixed(3)}`));
  await expect(amara.getByRole("heading", { name: "What did he ask?" })).toBeVisible();
  await expect(amara.getByText("Thinking alone")).toBeVisible();
  await expect(amara.getByRole("list", { name: "What the recording lacks" }).getByRole("listitem")).toContainText(
    reason,
  );
  await expect(amara.getByRole("status").filter({ hasText: "Not everything was stored" })).toBeVisible();
  await look(amara, artifacts, "replay-missing");
  await amara.getByRole("button", { name: /^Pause 1, talking from / }).click();
  await expect(amara.getByText("Talking", { exact: true })).toBeVisible();
  await expect(amara.getByRole("status").filter({ hasText: "Not everything was stored" })).toBeVisible();
  await amara.unroute(manifest);
});

test("a replay is taken along as one video", async () => {
  await amara.getByRole("button", { name: "Export" }).click();
  await amara.getByRole("menuitem", { name: "Video and sound" }).click();
  const dialog = amara.getByRole("dialog");
  await expect(dialog.getByRole("link", { name: "You, sound" })).toBeVisible();
  await look(amara, artifacts, "film");
  const make = dialog.getByRole("button", { name: "Make the video" });
  await make.click();
  const link = dialog.getByRole("link", { name: "Download the video" });
  await expect(link).toBeVisible({ timeout: 120_000 });
  const film = await amara.evaluate(lengthOf, (await link.getAttribute("href")) ?? "");
  expect(film).toBeGreaterThan(recorded / 1000);
  await dialog.getByRole("button", { name: "Remove it" }).click();
  await expect(make).toBeVisible();
});

test("a replay becomes a clip, with the consent of those who are in it", async () => {
  await amara.goto(address);
  await amara.getByRole("button", { name: "Export" }).click();
  await amara.getByRole("menuitem", { name: "A clip of this conversation" }).click();
  const dialog = amara.getByRole("dialog");
  const ask = dialog.getByRole("button", { name: "Ask everybody in it" });
  await expect(ask).toBeVisible();
  await look(amara, artifacts, "reuse");
  await ask.click(); // she alone is in it
  const open = dialog.getByRole("link", { name: "Open the clip" });
  await expect(open).toBeVisible({ timeout: 120_000 });
  await open.click();
  await expect(amara.getByRole("link", { name: "recorded in a session" })).toBeVisible();
  await look(amara, artifacts, "reuse-clip");
});

test("a shared screen is replayed", async () => {
  const session = await planned(amara, { recorded: true });
  await enter(amara, `${server.url}/s/${session}`);
  await amara.getByRole("button", { name: "Share your screen" }).click();
  await expect(amara.getByRole("button", { name: "Stop sharing your screen" })).toBeVisible();
  await amara.getByRole("button", { name: "Record", exact: true }).click();
  await expect(amara.getByText(/Recording since/).first()).toBeVisible();
  await expect.poll(() => amara.evaluate(screensSent), { timeout: 60_000 }).toBeGreaterThan(0);
  await amara.waitForTimeout(4000); // of it are recorded
  await endForEveryone(amara);
  const screens = async () =>
    (await api<Replay>(amara, "GET", `/api/sessions/${session}/replay`)).segments.filter((s) => s.source === "screen");
  await expect.poll(async () => (await screens()).length).toBeGreaterThan(0);
  const [first] = await screens();
  await amara.goto(`${server.url}/s/${session}/replay?t=${(((first?.start ?? 0) + 500) / 1000).toFixed(3)}`);
  const screen = amara.getByLabel(/^Screen of /);
  await expect(screen).toBeVisible();
  await expect.poll(async () => (await screen.evaluateAll(picturesIn))[0]?.light ?? 0).toBeGreaterThan(0);
  await expect(screen).toHaveAttribute("data-there");
});

/** In a page: how many frames of a screen it has sent. */
async function screensSent(): Promise<number> {
  let frames = 0;
  for (const peer of (window as unknown as { __peers: RTCPeerConnection[] }).__peers) {
    for (const sender of peer.getSenders()) {
      if (!("displaySurface" in (sender.track?.getSettings() ?? {}))) continue;
      for (const s of (await sender.getStats()).values()) if (s.type === "outbound-rtp") frames += s.framesSent ?? 0;
    }
  }
  return frames;
}

/** In a page: how long a video is that it can play, s. */
function lengthOf(url: string): Promise<number> {
  const video = document.createElement("video");
  return new Promise((resolve, reject) => {
    video.oncanplay = () => resolve(video.duration);
    video.onerror = () => reject(video.error);
    video.src = url;
  });
}

test("Firefox plays a replay", async () => {
  const firefox: Firefox = await launchFirefox();
  try {
    const page: FirefoxPage = await firefox.newPage();
    page.setDefaultTimeout(90_000);
    await signIn(page, server.url);
    await page.goto(address);
    await plays(
      () => page.$$eval('[data-testid="participant"]', picturesIn),
      () => page.$$eval('[data-testid="voice"]', voicesIn),
      () => press(page, "Play"),
    );
    await seeks(tabOfFirefox(page), () => press(page, "Stop"));
  } finally {
    await firefox.close();
  }
});
