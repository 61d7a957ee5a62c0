// Days on which not everything goes well: everybody at once, a reload, a network that goes away, no UDP, no camera, no HTTPS, a
// server that dies while a lesson is being uploaded.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, chromium, expect, type Page, test } from "@playwright/test";
import { planned, practiceIsReady, prepared, seesAll } from "./lib/call.ts";
import { args, executablePath } from "./lib/chromium.ts";
import { makeClip } from "./lib/clip.ts";
import { Delay } from "./lib/delay.ts";
import { audioEnergy, pictures, transports } from "./lib/media.ts";
import { api, enter, invitation, makeFirstAccount, newPerson } from "./lib/people.ts";
import { newFolder, Server } from "./lib/server.ts";

let server: Server;
let amara: Page;

test.beforeAll(async ({ browser }) => {
  server = await Server.start(await newFolder());
  amara = await newPerson(browser);
  await makeFirstAccount(amara, server, server.url);
});

test.afterAll(async () => {
  await amara?.context().close();
  await server?.close();
});

test("a newcomer tries a call at once, on a server that has just been started for the first time", async () => {
  await amara.getByRole("button", { name: "Try a call with the practice clip" }).click();
  await practiceIsReady(amara);
  await amara.getByRole("button", { name: "Join", exact: true }).click();
  await seesAll(amara, 1);
  await amara.getByRole("button", { name: "Play", exact: true }).click();
  await expect(amara.getByRole("heading", { name: "What do you notice?" })).toBeVisible({ timeout: 60_000 });
  await expect(amara.getByText("1 of 1").first()).toBeVisible();
  await amara.getByRole("button", { name: "Leave", exact: true }).click();
});

test("four who join in the same instant lose no track, nor does one who reloads", async ({ browser }) => {
  const session = await planned(amara);
  const link = await invitation(amara, session, "peer", server.url);
  const people = await Promise.all(
    [0, 1, 2, 3].map(() => newPerson(browser, { viewport: { width: 800, height: 600 } })),
  );
  for (const [i, page] of people.entries()) {
    await page.goto(link);
    await page.getByLabel("Your name").fill(`Person ${i + 1}`);
  }
  await Promise.all(people.map((page) => page.getByRole("button", { name: "Join", exact: true }).click()));
  for (const page of people) await seesAll(page, 4);

  const [first, second] = people as [Page, Page];
  await first.reload();
  const join = first.getByRole("button", { name: "Join", exact: true });
  await join
    .or(first.getByRole("button", { name: "Leave", exact: true }))
    .first()
    .waitFor();
  if (await join.isVisible()) await join.click();
  await seesAll(first, 4);
  await seesAll(second, 4);
  await Promise.all(people.map((page) => page.context().close()));
});

test("a network that goes away comes back by itself, with pictures and sound", async ({ browser }) => {
  const session = await planned(amara);
  const proxy = await Delay.start(server.port, { delay: 40, jitter: 10 });
  const tomasz = await newPerson(browser);
  await enter(amara, `${server.url}/s/${session}`, undefined, null);
  await enter(tomasz, await invitation(amara, session, "coach", proxy.url), "Tomasz", null);
  await seesAll(tomasz, 2);
  await tomasz.context().setOffline(true);
  proxy.cut();
  await expect(tomasz.getByText(/brought back/).first()).toBeVisible();
  await expect(amara.getByText("Away").first()).toBeAttached();
  await tomasz.context().setOffline(false);
  await seesAll(tomasz, 2);
  await seesAll(amara, 2);
  const before = await audioEnergy(tomasz);
  await expect.poll(() => audioEnergy(tomasz)).toBeGreaterThan(before);
  await tomasz.context().close();
  await proxy.close();
});

test("where a network lets no UDP out, media comes by TCP on the same port", async () => {
  const session = await planned(amara);
  const browser: Browser = await chromium.launch({
    executablePath,
    args: [...args, "--webrtc-ip-handling-policy=disable_non_proxied_udp"],
  });
  const mei = await newPerson(browser);
  await enter(amara, `${server.url}/s/${session}`, undefined, null);
  await enter(mei, await invitation(amara, session, "peer", server.url), "Mei-Ling", null);
  await seesAll(mei, 2);
  await seesAll(amara, 2);
  expect(await transports(mei)).toEqual(["tcp"]);
  expect(await transports(amara)).toEqual(["udp"]);
  await browser.close();
});

test("who has no camera is told so, and is in all the same", async () => {
  const session = await planned(amara);
  const browser = await chromium.launch({ executablePath, args: args.filter((a) => !a.startsWith("--use-fake")) });
  const leila = await newPerson(browser);
  await leila.goto(await invitation(amara, session, "facilitator", server.url));
  await expect(
    leila
      .getByText(/camera/i)
      .filter({ hasText: /join without|no camera|not let/i })
      .first(),
  ).toBeVisible();
  await leila.getByLabel("Your name").fill("Leila");
  await leila.getByRole("button", { name: "Join", exact: true }).click();
  await expect(leila.getByRole("button", { name: "Leave", exact: true })).toBeVisible();
  await enter(amara, `${server.url}/s/${session}`, undefined, null);
  await expect(amara.getByText("Leila").first()).toBeVisible();
  await browser.close();
});

test("an observer sees and hears, and is neither", async ({ browser }) => {
  const session = await planned(amara, { kind: "live-lesson", title: "A lesson, live" });
  const { url } = await api<{ url: string }>(amara, "POST", `/api/sessions/${session}/invitations`, {
    role: "observer",
  });
  await enter(amara, `${server.url}/s/${session}`, undefined, null);
  const observer = await newPerson(browser);
  const { pathname, hash } = new URL(url, server.url);
  await enter(observer, `${server.url}${pathname}${hash}`, "Olga", null);
  await expect.poll(async () => (await pictures(observer)).filter((p) => p.range > 16).length).toBeGreaterThan(0);
  await expect.poll(() => audioEnergy(observer)).toBeGreaterThan(0);
  await expect(observer.getByRole("button", { name: /Microphone is/ })).toHaveCount(0);
  await observer.getByLabel("Write a note").fill("He waits.");
  await observer.getByRole("button", { name: /^Add/ }).click();
  await expect(observer.getByText("He waits.").first()).toBeVisible();
  expect(await audioEnergy(amara)).toBe(0);
  const replay = await api<{ view: { notes: { text: string; at: number; onClip: boolean }[] } }>(
    amara,
    "GET",
    `/api/sessions/${session}/replay`,
  );
  const note = replay.view.notes.find((n) => n.text === "He waits.");
  expect(note?.onClip).toBe(false);
  expect(note?.at).toBeGreaterThan(0);
  await observer.context().close();
});

test("the controls are handed over and come back, and a screen is shared beside the clip", async ({ browser }) => {
  await amara.goto(server.url);
  const { id } = await api<{ id: string }>(amara, "POST", "/api/sessions", { practice: true });
  const mei = await newPerson(browser);
  await enter(amara, `${server.url}/s/${id}`, undefined, null);
  await enter(mei, await invitation(amara, id, "peer", server.url), "Mei-Ling", null);
  const play = mei.getByRole("button", { name: "Play", exact: true });
  await expect(mei.getByRole("button", { name: "Call a pause" })).toBeVisible();
  await expect(play).toHaveCount(0);
  await amara.getByRole("button", { name: "People" }).click();
  await amara.getByRole("button", { name: "Hand over the controls" }).click();
  await amara.getByRole("menuitem", { name: "Mei-Ling" }).click();
  await play.click();
  await expect(amara.getByRole("button", { name: "Stop", exact: true })).toBeVisible();
  await amara.getByRole("button", { name: "Take the controls back" }).click();
  await expect(mei.getByRole("button", { name: "Stop", exact: true })).toHaveCount(0);

  await mei.getByRole("button", { name: "Share your screen" }).click();
  const screen = amara.getByTestId("screen");
  await expect(screen).toBeVisible();
  await expect.poll(() => screen.evaluate((video: HTMLVideoElement) => video.videoWidth)).toBeGreaterThan(0);
  await mei.getByRole("button", { name: "Stop sharing your screen" }).click();
  await expect(screen).toHaveCount(0);
  await mei.context().close();
});

test("a page that came by plain HTTP from another machine says why there is no camera", async () => {
  const browser = await chromium.launch({
    executablePath,
    args: [...args, "--host-resolver-rules=MAP school.test 127.0.0.1"],
  });
  const page = await newPerson(browser);
  await page.goto(`http://school.test:${server.port}/signin`);
  await expect(page.getByText(/https/i).first()).toBeVisible();
  await browser.close();
});

test("an upload goes on after the server died", async () => {
  const folder = await mkdtemp(join(tmpdir(), "pausepoint-upload-"));
  const file = join(folder, "long lesson.mp4");
  await makeClip(file, 120);
  const page = amara;
  await page.goto(`${server.url}/clips/new`);
  const network = await page.context().newCDPSession(page);
  await network.send("Network.enable");
  await network.send("Network.emulateNetworkConditions", {
    offline: false,
    latency: 5,
    downloadThroughput: -1,
    uploadThroughput: 400_000,
  });
  await page.locator("input[type=file]").setInputFiles(file);
  await expect(page.getByRole("progressbar")).toBeVisible();
  await expect
    .poll(async () => Number(await page.getByRole("progressbar").getAttribute("aria-valuenow")))
    .toBeGreaterThan(0);
  await server.kill();
  await server.up();
  await network.send("Network.emulateNetworkConditions", {
    offline: false,
    latency: 0,
    downloadThroughput: -1,
    uploadThroughput: -1,
  });
  const clip = await prepared(page, (c) => c.title === "long lesson");
  expect(clip.frames).toBe(120 * 30);
  await rm(folder, { recursive: true, force: true });
});
