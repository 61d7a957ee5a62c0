// Each page as a person sees it: at the width of a phone and of a desk, by day and by night, without anything that sticks out,
// and without what axe finds wrong for people who do not see or do not use a mouse. The pictures are in artifacts/.
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, chromium, expect, type Page, test } from "@playwright/test";
import { endForEveryone, practiceIsReady, prepared } from "./lib/call.ts";
import { args, executablePath } from "./lib/chromium.ts";
import { draw, strokes } from "./lib/clip.ts";
import { look as lookAt, sizes } from "./lib/look.ts";
import { pictures } from "./lib/media.ts";
import { api, enter, invitation, makeFirstAccount, newPerson, refusals } from "./lib/people.ts";
import { drawCamera, drawLesson, type looks } from "./lib/portraits.ts";
import { Server } from "./lib/server.ts";

test.describe.configure({ mode: "serial" });

const artifacts = new URL("./artifacts/", import.meta.url).pathname;

let server: Server;
let folder: string;
const browsers: Browser[] = [];
let amara: Page;
let others: Page[];
let session: string;

/** A person with a face of their own. */
async function person(browser: Browser, name: keyof typeof looks): Promise<Page> {
  const camera = await drawCamera(browser, folder, name);
  const own = await chromium.launch({ executablePath, args: [...args, `--use-file-for-fake-video-capture=${camera}`] });
  browsers.push(own);
  return newPerson(own, { viewport: sizes.desk, locale: "en-GB", timezoneId: "Europe/London" });
}

test.beforeAll(async ({ browser }) => {
  await mkdir(artifacts, { recursive: true });
  folder = await mkdtemp(join(tmpdir(), "pausepoint-pages-"));
  server = await Server.start();
  amara = await person(browser, "amara");
});

test.afterAll(async () => {
  for (const browser of browsers) await browser.close();
  await server?.close();
  await rm(folder, { recursive: true, force: true });
});

const look = (page: Page, name: string) => lookAt(page, artifacts, name);

test("before there is an account", async () => {
  await amara.goto(`${server.url}/setup#${server.setupToken}`);
  await expect(amara.getByRole("button", { name: "Create account" })).toBeVisible();
  await look(amara, "setup");
  await makeFirstAccount(amara, server, server.url);
  await expect(amara.getByRole("button", { name: "Try a call with the practice clip" })).toBeVisible();
  await practiceIsReady(amara);
  await amara.reload();
  await expect(amara.locator("main img")).toBeVisible();
  await look(amara, "home-new");
});

test("clips", async ({ browser }) => {
  await amara.goto(`${server.url}/clips/new`);
  await look(amara, "clip-new");
  await amara.locator("input[type=file]").setInputFiles(await drawLesson(browser, folder, 60));
  await amara.getByLabel("Title").fill("Year 5 fractions");
  const clip = await prepared(amara, (c) => !c.practice);
  await amara.goto(`${server.url}/clips`);
  await expect(amara.getByText("Year 5 fractions")).toBeVisible();
  await look(amara, "clips");
  await amara.goto(`${server.url}/clips/${clip.id}`);
  await expect(amara.locator("video")).toBeVisible();
  await look(amara, "clip");
  const plan = await api<{ id: string }>(amara, "POST", "/api/sessions", {
    kind: "inquiry",
    title: "Year 5 fractions",
    focus: "Who is doing the thinking?",
    clip: clip.id,
    recorded: true,
    scheduled: new Date(Date.now() + 20 * 60_000).toISOString(),
    minutes: 45,
    pauses: [
      {
        id: "0192f0c8-7b1e-7000-8000-000000000001",
        frame: 400,
        prompt: "What do you notice before anyone speaks?",
        think: 0,
        talk: 240_000,
      },
      {
        id: "0192f0c8-7b1e-7000-8000-000000000002",
        frame: 700,
        prompt: "Who is doing the thinking here? What did a pupil say or do that tells you?",
        think: 60_000,
        talk: 360_000,
      },
      {
        id: "0192f0c8-7b1e-7000-8000-000000000003",
        frame: 1100,
        prompt: "What did Yusuf need just here?",
        think: 0,
        talk: 360_000,
      },
    ],
  });
  session = plan.id;
});

test("plan, home, sessions", async () => {
  await amara.goto(`${server.url}/s/${session}/plan`);
  await expect(amara.getByText("What do you notice before anyone speaks?").first()).toBeVisible();
  await look(amara, "plan");
  await amara.goto(`${server.url}/`);
  await expect(amara.getByText("Who is doing the thinking?").first()).toBeVisible();
  await expect(amara.getByText("No pauses are prepared yet")).toHaveCount(0);
  await look(amara, "home");
  await amara.goto(`${server.url}/sessions`);
  await expect(amara.getByText("Who is doing the thinking?")).toBeVisible();
  await look(amara, "sessions");
});

// Alone, which leaves the machine its time.
test("what opens in the call", async () => {
  await enter(amara, `${server.url}/s/${session}`);
  const dialog = amara.getByRole("dialog");
  await amara.getByRole("button", { name: "Prepare a pause here" }).click();
  await expect(dialog.getByRole("button", { name: "Add", exact: true })).toBeVisible();
  await look(amara, "call-prepare");
  await amara.keyboard.press("Escape");
  await expect(dialog).toHaveCount(0);
  await amara.getByRole("button", { name: "Settings" }).first().click();
  await expect(dialog.getByLabel("Microphone")).toBeVisible();
  await look(amara, "call-settings");
  await amara.keyboard.press("Escape");
  await expect(dialog).toHaveCount(0); // keys do nothing while it is there
  await amara.keyboard.press("?");
  await expect(dialog.getByRole("heading", { name: "Keys" })).toBeVisible();
  await look(amara, "call-keys");
  await amara.keyboard.press("Escape");
  await expect(dialog).toHaveCount(0);
});

test("the door", async ({ browser }) => {
  others = [await person(browser, "tomasz"), await person(browser, "mei"), await person(browser, "leila")];
  const [tomasz, mei, leila] = others as [Page, Page, Page];
  await enter(tomasz, await invitation(amara, session, "coach", server.url), "Tomasz Wiśniewski");
  await enter(leila, await invitation(amara, session, "facilitator", server.url), "Leila Haddad");
  const link = await invitation(amara, session, "peer", server.url);
  await mei.goto(link);
  await expect(mei.getByText("Leila Haddad")).toBeVisible();
  await expect(mei.getByLabel("Your picture", { exact: true })).toBeVisible();
  await look(mei, "lobby");
  await enter(mei, link, "Mei-Ling Chen");
});

test("the call, watching", async () => {
  const [tomasz, mei, leila] = others as [Page, Page, Page];
  for (const page of [amara, ...others]) {
    await expect
      .poll(async () => (await pictures(page)).filter((p) => p.range > 16).length, { timeout: 60_000 })
      .toBe(4);
  }
  await leila.getByRole("button", { name: "Record", exact: true }).click();
  await expect(leila.getByText(/Recording since/).first()).toBeVisible();
  await leila.getByRole("slider", { name: "Clip position" }).press("ArrowRight");
  const notes: [Page, string, string][] = [
    [
      tomasz,
      "Observation",
      "Six seconds of silence after “How do you know?”. Then he lays a third over a quarter, and speaks.",
    ],
    [mei, "Question", "Did Noah follow Chloe’s drawing, or did he agree with her because she was sure?"],
    [
      leila,
      "Appreciation",
      "Inés waits for Kwame to finish, then uses his word, “leftover”, to explain it back to him.",
    ],
  ];
  for (const [page, type, text] of notes) {
    await page.getByRole("button", { name: "Type: Observation" }).click();
    await page.getByRole("menuitemradio", { name: type }).click();
    await page.getByLabel("Write a note").fill(text);
    await page.getByRole("button", { name: /^Add/ }).click();
    await expect(leila.getByText(text).first()).toBeVisible();
    await leila.getByRole("slider", { name: "Clip position" }).press("Shift+ArrowRight");
  }
  await leila.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
  await look(leila, "call-watching");
  await leila.screenshot({ path: join(artifacts, "call.png") });
});

test("the call, at a pause", async () => {
  const [, mei, leila] = others as [Page, Page, Page];
  await leila.getByRole("button", { name: "Call a pause" }).click();
  await expect(leila.getByText("4 of 4").first()).toBeVisible();
  await mei.getByLabel("Your answer").fill("Chloe. She redraws the bar before she answers.");
  await look(leila, "call-talking");
  await mei.getByRole("button", { name: "People" }).click();
  await look(mei, "call-people");
  await mei.setViewportSize(sizes.phone);
  await mei.getByRole("button", { name: "Close people" }).click();
  await expect(mei.getByRole("button", { name: "I’d like to speak" })).toBeVisible();
  await mei.setViewportSize(sizes.desk);
});

test("the call, drawing on the frame", async () => {
  const [, mei, leila] = others as [Page, Page, Page];
  await leila.keyboard.press("d");
  await draw(leila, [0.3, 0.3], [0.5, 0.6], [0.7, 0.4]);
  await mei.getByRole("button", { name: "Draw on the frame" }).click();
  await draw(mei, [0.6, 0.7], [0.8, 0.6]);
  await expect(strokes(leila)).toHaveCount(2);
  await look(leila, "call-drawing");
  await leila.keyboard.press("f");
  await look(leila, "call-drawing-large");
  await leila.keyboard.press("Escape"); // draws no more
  await leila.keyboard.press("Escape"); // and small again
  await mei.keyboard.press("Escape");
});

test("the replay", async () => {
  const [tomasz, , leila] = others as [Page, Page, Page];
  await leila.getByRole("button", { name: "Show answers" }).click();
  await leila.getByRole("button", { name: "Continue" }).click();
  await expect(leila.getByRole("button", { name: "Call a pause" })).toBeVisible();
  await endForEveryone(leila);
  await leila.goto(`${server.url}/s/${session}/replay`);
  await leila.getByRole("button", { name: "Next pause" }).click();
  await expect.poll(async () => (await pictures(leila)).filter((p) => p.range > 16).length).toBe(4);
  await expect(leila.getByRole("heading", { name: "What do you see here?" })).toBeVisible(); // what the card said
  await expect(leila.getByText("called by Leila Haddad", { exact: true })).toBeVisible();
  await look(leila, "replay");

  await api(tomasz, "POST", `/api/sessions/${session}/measures`); // who has looked is seen by the others
  await leila.getByRole("button", { name: "About this recording" }).click();
  await leila.getByRole("button", { name: "See how the conversation went" }).click();
  await expect(leila.getByRole("heading", { name: "Talking time" })).toBeVisible();
  await expect(leila.getByText("shown once they have looked")).toHaveCount(2);
  await look(leila, "replay-about");
});

test("a live lesson", async () => {
  const plan = await api<{ id: string }>(amara, "POST", "/api/sessions", {
    kind: "live-lesson",
    title: "Year 8 debate",
    recorded: false,
  });
  await enter(amara, `${server.url}/s/${plan.id}`, undefined, null);
  const [tomasz] = others as [Page];
  await enter(tomasz, await invitation(amara, plan.id, "coach", server.url), "Tomasz Wiśniewski", null);
  await expect.poll(async () => (await pictures(tomasz)).filter((p) => p.range > 16).length).toBeGreaterThan(1);
  await look(tomasz, "live-lesson");
  await look(amara, "camera");
});

test("places that let nobody in, and one that does not exist", async ({ browser }) => {
  await amara.goto(`${server.url}/nowhere`);
  await look(amara, "not-found");
  const stranger = await newPerson(browser, { viewport: sizes.desk, locale: "en-GB" });
  await stranger.goto(`${server.url}/s/${session}#nobodys-token`);
  await expect(stranger.getByRole("heading", { name: "This invitation no longer lets anybody in" })).toBeVisible();
  await look(stranger, "invitation-gone");
  await stranger.goto(`${server.url}/signin`);
  await stranger.getByLabel("Email").fill("amara@example.org");
  await stranger.getByLabel("Password", { exact: true }).fill("not that one, I think");
  await stranger.getByRole("button", { name: "Sign in" }).click();
  await expect(stranger.getByRole("alert")).toBeVisible();
  await look(stranger, "signin-refused");
  await stranger.context().close();
  expect(refusals).toEqual([]);
});
