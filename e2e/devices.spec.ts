// Cameras that do not work, and browsers that play no sound by themselves: it is said in a sentence, and nobody stays outside.
import { type Browser, chromium, expect, type Page, test } from "@playwright/test";
import { endForEveryone, planned, practice, practiceIsReady } from "./lib/call.ts";
import { args, executablePath } from "./lib/chromium.ts";
import { audioEnergy } from "./lib/media.ts";
import { api, enter, invitation, makeFirstAccount, newPerson } from "./lib/people.ts";
import { Server } from "./lib/server.ts";
import { Untouched } from "./lib/untouched.ts";

let server: Server;
let amara: Page;
let other: Browser | undefined;

test.beforeAll(async ({ browser }) => {
  server = await Server.start();
  amara = await newPerson(browser);
  await makeFirstAccount(amara, server, server.url);
  await practiceIsReady(amara);
});

test.afterEach(async () => {
  await other?.close();
  other = undefined;
});

test.afterAll(async () => {
  await amara?.context().close();
  await server?.close();
});

const without = (...names: string[]) => args.filter((a) => !names.some((n) => a.startsWith(`--${n}`)));

/** A person with a browser of their own kind. */
async function person(args: string[], options: Parameters<typeof newPerson>[1] = {}): Promise<Page> {
  other = await chromium.launch({ executablePath, args });
  return newPerson(other, options);
}

/** Stands in the lobby, reads what is said of the devices, joins all the same, and is seen inside. */
async function joinsAllTheSame(page: Page, sentence: RegExp): Promise<void> {
  const session = await planned(amara);
  await enter(amara, `${server.url}/s/${session}`, undefined, null);
  await page.goto(await invitation(amara, session, "peer", server.url));
  await expect(page.getByRole("alert").getByText(sentence)).toBeVisible();
  await expect(page.getByRole("button", { name: "Try again", exact: true })).toBeVisible();
  await page.getByLabel("Your name").fill("Mei-Ling Chen");
  await page.getByRole("button", { name: "Join", exact: true }).click();
  await expect(page.getByRole("button", { name: "Camera is off. Turn it on" })).toBeVisible();
  await expect(amara.getByText("Mei-Ling").first()).toBeVisible();
  await page.getByLabel("Write a note").fill("I am here.");
  await page.getByRole("button", { name: /^Add/ }).click();
  await expect(amara.getByText("I am here.").first()).toBeVisible();
}

test("a camera that was denied", async () => {
  const page = await person(without("use-fake-ui-for-media-stream"), { permissions: ["microphone"] });
  await joinsAllTheSame(page, /^Your browser keeps your camera closed for this page\..*You can join without it\.$/);
  await expect(page.getByRole("button", { name: "Microphone is on. Turn it off" })).toBeVisible();
  await expect.poll(() => audioEnergy(amara)).toBeGreaterThan(0);
  await page.getByRole("button", { name: "Camera is off. Turn it on" }).click();
  await expect(page.getByText(/does not let this page use the camera\. Allow it/).first()).toBeVisible();
});

test("camera and microphone denied", async () => {
  const page = await person(without("use-fake-ui-for-media-stream"), { permissions: ["geolocation"] });
  await joinsAllTheSame(
    page,
    /^Your browser keeps your camera and microphone closed for this page\..*you see, hear and write\.$/,
  );
});

test("no camera at all", async () => {
  const page = await person([
    ...without("use-fake-device-for-media-stream"),
    "--use-fake-device-for-media-stream=device-count=0",
  ]);
  await joinsAllTheSame(page, /^We find no camera\. Plug one in, then try again\. You can join without it\.$/);
  await expect(page.getByRole("button", { name: "Microphone is on. Turn it off" })).toBeVisible();
});

test("a camera that another program has", async () => {
  // No flag of Chromium makes a camera busy, so the browser's answer is put in its place, and all else is real.
  const page = await person(args);
  await page.addInitScript(() => {
    const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = async (wanted) => {
      if (wanted?.video) throw new DOMException("Could not start video source", "NotReadableError");
      return real(wanted);
    };
  });
  await joinsAllTheSame(page, /^Your camera is used by another program\. Close that program, then try again\./);
  await page.getByRole("button", { name: "Camera is off. Turn it on" }).click();
  await expect(
    page.getByText(/camera is used by another program\. Close that program, or go on without it/).first(),
  ).toBeVisible();
});

test("a camera that works again is tried again from the lobby", async () => {
  const page = await person(without("use-fake-ui-for-media-stream"), { permissions: ["microphone"] });
  await page.goto(await invitation(amara, await planned(amara), "peer", server.url));
  const said = page.getByRole("alert").getByText("keeps your camera closed");
  await expect(said).toBeVisible();
  await page.context().grantPermissions(["camera", "microphone"]);
  await page.getByRole("button", { name: "Try again", exact: true }).click();
  await expect(said).toHaveCount(0);
  await expect(page.getByLabel("Your picture", { exact: true })).toBeVisible();
});

const refusing = [...without("autoplay-policy"), "--autoplay-policy=user-gesture-required"];
const clip = `(({ muted, paused, currentTime }) => ({ muted, paused, at: currentTime }))(document.querySelector('[data-testid="clip"]'))`;

interface Clip {
  muted: boolean;
  paused: boolean;
  at: number;
}

test("a browser that plays no sound by itself: the call says so, and one press starts it", async () => {
  const session = await practice(amara);
  await enter(amara, `${server.url}/s/${session}`, undefined, null);
  const page = await person(refusing);
  await enter(page, await invitation(amara, session, "peer", server.url), "Mei-Ling Chen", null);
  await expect(page.getByRole("button", { name: "Call a pause" })).toBeVisible();
  const untouched = await Untouched.of(page);
  await untouched.forgotten();
  await amara.getByRole("button", { name: "Play", exact: true }).click();
  await untouched.says("Your browser plays no sound before you click.");
  // It is seen, in step with the others, before it is heard.
  const before = await untouched.read<Clip>(clip);
  expect(before.muted).toBe(true);
  await expect.poll(async () => (await untouched.read<Clip>(clip)).at).toBeGreaterThan(before.at + 0.5);
  await untouched.press("Turn on sound");
  await untouched.says("Your browser plays no sound before you click.", false);
  expect(await untouched.read<Clip>(clip)).toMatchObject({ muted: false, paused: false });
  const voices = `[...document.querySelectorAll('[data-testid="voice"]')].map((el) => el.paused || el.muted)`;
  await expect.poll(() => untouched.read<boolean[]>(voices)).toEqual([false]);
  await untouched.forgotten();
  expect(await untouched.read<Clip>(clip)).toMatchObject({ muted: false });
});

test("a browser that plays no sound by itself: the replay says so, and one press starts it", async () => {
  const session = await practice(amara);
  await enter(amara, `${server.url}/s/${session}`, undefined, null);
  await amara.getByRole("button", { name: "Play", exact: true }).click();
  await expect(amara.getByRole("heading", { name: "What do you notice?" })).toBeVisible({ timeout: 60_000 });
  await expect(amara.getByText("1 of 1").first()).toBeVisible();
  await endForEveryone(amara);
  await expect(amara.getByRole("heading", { name: "This session has ended" })).toBeVisible();

  const { events } = await api<{ events: { data: { playback?: { mode: string; at: number } } }[] }>(
    amara,
    "GET",
    `/api/sessions/${session}/replay`,
  );
  const began = events.find((e) => e.data.playback?.mode === "playing")?.data.playback?.at ?? 0;
  const page = await person(refusing, { storageState: await amara.context().storageState() });
  const untouched = await Untouched.of(page);
  await page.goto(`${server.url}/s/${session}/replay?t=${(began / 1000).toFixed(3)}`);
  await untouched.says("By conversation");
  await untouched.forgotten();
  await untouched.clickByProgram("Play");
  await untouched.says("Your browser plays without sound until you allow it.");
  await untouched.press("Turn the sound on");
  await untouched.says("Your browser plays without sound until you allow it.", false);
  await expect.poll(() => untouched.read<Clip>(clip)).toMatchObject({ muted: false, paused: false });
});
