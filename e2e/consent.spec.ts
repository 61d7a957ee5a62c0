// Who is in a recording decides about it: whether they are recorded at all, whether it becomes a clip, and that it is taken back. For how
// long it is kept, who planned the session says; a legal hold overrules that, and a deletion leaves a receipt.
import { type Browser, expect, type Page, test } from "@playwright/test";
import { endForEveryone, planned, seesAll } from "./lib/call.ts";
import { look, sizes } from "./lib/look.ts";
import { audioEnergy } from "./lib/media.ts";
import { api, invitation, makeFirstAccount, newPerson } from "./lib/people.ts";
import { Server } from "./lib/server.ts";

test.describe.configure({ mode: "serial" });

interface Replay {
  events: { type: string; data: { member?: unknown; files?: { sha256: string }[] } }[];
  segments: { id: string; member: string; source: string }[];
  view: { members: { id: string; name: string }[] };
}

interface Receipt {
  files: { sha256: string }[];
}

const artifacts = new URL("./artifacts/", import.meta.url).pathname;

let server: Server;
let session: string;
/** Has planned the session, and administers the server. */
let amara: Page;
/** Comes while the recording runs. */
let ben: Page;

const offRecord = /Off the record since .* Somebody here does not agree to being recorded/;

test.beforeAll(async ({ browser }) => {
  server = await Server.start();
  amara = await newPerson(browser);
  await makeFirstAccount(amara, server, server.url);
  session = await planned(amara); // so the door asks nobody
  await amara.goto(`${server.url}/s/${session}`);
  await amara.getByRole("button", { name: "Join", exact: true }).click();
  await seesAll(amara, 1);
});

test.afterAll(async () => {
  for (const page of [amara, ben]) await page?.context().close();
  await server?.close();
});

/** Somebody in the call, by the link for peers. */
async function comes(browser: Browser, name: string, camera = true): Promise<Page> {
  const page = await newPerson(browser);
  await page.goto(await invitation(amara, session, "peer", server.url));
  await page.getByLabel("Your name").fill(name);
  if (!camera) await page.getByRole("button", { name: "Camera is on. Turn it off" }).click();
  await page.getByRole("button", { name: "Join", exact: true }).click();
  return page;
}

const ofSession = <T>(page: Page, what: string) => api<T>(page, "GET", `/api/sessions/${session}/${what}`);

/** How many files of this person are stored. */
const files = async (page: Page) => (await ofSession<{ files: number }>(page, "withdrawal")).files;

/** Opens the replay anew. */
const opensReplay = (page: Page) => page.goto(`${server.url}/s/${session}/replay`);

/** Opens the replay anew, and what it says of the recording. */
async function opensAbout(page: Page) {
  await opensReplay(page);
  await page.getByRole("button", { name: "About this recording" }).click();
  return page.getByRole("dialog");
}

test("who comes while it is recorded and does not agree takes everybody off the record, and is not stored", async ({
  browser,
}) => {
  await amara.getByRole("button", { name: "Record", exact: true }).click();
  await expect(amara.getByText(/Recording since .* everyone agreed/).first()).toBeVisible();
  const chen = await comes(browser, "Chen Li", false);
  await expect(amara.getByText("Chen has not answered and is not recorded").first()).toBeVisible();
  await chen.getByRole("button", { name: "Not this time" }).click();
  for (const page of [amara, chen]) await expect(page.getByText(offRecord).first()).toBeVisible();
  expect(await files(chen)).toBe(0);
  await chen.getByRole("button", { name: "Leave", exact: true }).click();
  await expect(chen.getByRole("heading", { name: "You have left" })).toBeVisible();
  await chen.context().close();
});

test("who agrees later is seen and heard meanwhile, and stored from then on", async ({ browser }) => {
  const before = await files(amara);
  await amara.getByRole("button", { name: "On the record" }).click();
  await expect(amara.getByText(/Recording since .* everyone agreed/).first()).toBeVisible();
  ben = await comes(browser, "Ben Carter");
  await expect(ben.getByText("You are seen and heard, but not recorded unless you agree.")).toBeVisible();
  await seesAll(amara, 2);
  await expect.poll(() => audioEnergy(amara)).toBeGreaterThan(0);
  for (const page of [amara, ben])
    await expect(page.getByText("Ben has not answered and is not recorded").first()).toBeVisible();
  await expect.poll(() => files(amara)).toBeGreaterThan(before);
  expect(await files(ben)).toBe(0);

  await ben.getByRole("button", { name: "I agree" }).click();
  for (const page of [amara, ben])
    await expect(page.getByText(/Recording since .* everyone agreed/).first()).toBeVisible();
  await expect.poll(() => files(ben)).toBeGreaterThan(1); // his voice and his picture
  await endForEveryone(amara);
  const kept = async () => new Set((await ofSession<Replay>(amara, "replay")).segments.map((s) => s.member + s.source));
  await expect.poll(async () => (await kept()).size).toBe(4); // a voice and a picture of each of the two
});

test("a recording becomes a clip only when those who are in it agree", async () => {
  await opensReplay(amara);
  await amara.getByRole("button", { name: "Export" }).click();
  await amara.getByRole("menuitem", { name: "A clip of this conversation" }).click();
  const dialog = amara.getByRole("dialog");
  const ask = dialog.getByRole("button", { name: "Ask everybody in it" });
  const question = ben.getByText("Amara Okafor asks to use this recording as a clip.");

  await ask.click();
  await expect(dialog.getByText("Ben Carter has not answered yet.")).toBeVisible();
  await ben.setViewportSize(sizes.phone);
  await opensReplay(ben);
  await expect(question).toBeVisible();
  await look(ben, artifacts, "reuse-asked");
  await ben.getByRole("button", { name: "No", exact: true }).click();
  await expect(question).toHaveCount(0);
  await expect(dialog.getByText("Not everybody agrees, so no clip is made.")).toBeVisible();

  await ask.click();
  await opensReplay(ben);
  await ben.getByRole("button", { name: "Agree", exact: true }).click();
  await expect(question).toHaveCount(0);
  await expect(dialog.getByText(/Everybody has agreed|The clip is among yours/).first()).toBeVisible();
});

test("for how long it is kept is chosen by who planned it, and seen by all", async () => {
  const dialog = await opensAbout(amara);
  await expect(dialog.getByText("This conversation is kept until somebody deletes it.")).toBeVisible();
  await dialog.getByLabel("Keep it").selectOption({ label: "30 days" });
  await expect(dialog.getByText(/This conversation is deleted on .* with everything/)).toBeVisible();
  await look(amara, artifacts, "keeping");
  const others = await opensAbout(ben);
  await expect(others.getByText(/This conversation is deleted on .* with everything/)).toBeVisible();
  await expect(others.getByLabel("Keep it")).toHaveCount(0);
  await expect(others.getByRole("button", { name: "Delete it now" })).toHaveCount(0);
  await dialog.getByLabel("Keep it").selectOption({ label: "For ever" });
  await expect(dialog.getByText("This conversation is kept until somebody deletes it.")).toBeVisible();
});

test("a legal hold keeps everything, and says so to those who were there", async () => {
  await amara.goto(`${server.url}/holds`);
  await amara.getByRole("button", { name: /^Hold it/ }).click();
  const dialog = amara.getByRole("dialog");
  await dialog.getByLabel("Why").fill("A complaint is being looked into.");
  await dialog.getByRole("button", { name: "Hold it" }).click();
  await expect(amara.getByText(/Held since today.*A complaint is being looked into\./)).toBeVisible();

  for (const page of [amara, ben]) {
    const about = await opensAbout(page);
    await expect(about.getByText("nothing of it is deleted until that ends")).toBeVisible();
    await expect(about.getByText("Why: A complaint is being looked into.")).toBeVisible();
    await expect(about.getByRole("button", { name: "Delete it now" })).toHaveCount(0);
  }
  await ben.getByRole("button", { name: "Take back my consent" }).click();
  await expect(ben.getByText("What was recorded of you is shown to nobody from now on")).toBeVisible();

  await amara.goto(`${server.url}/holds`);
  await amara.getByRole("button", { name: /^End the hold/ }).click();
  await dialog.getByRole("button", { name: "End the hold" }).click();
  await expect(amara.getByRole("button", { name: /^Hold it/ })).toBeVisible();
});

test("who takes back their consent is not in the recording any more, and the proof can be read", async () => {
  const before = await ofSession<Replay>(amara, "replay");
  const his = before.view.members.find((m) => m.name === "Ben Carter")?.id;
  const gone = before.segments.filter((s) => s.member === his);
  expect(gone.length).toBeGreaterThan(1);
  await opensReplay(amara);
  const lane = amara.getByTestId("voice"); // an element for each voice
  await expect(lane).toHaveCount(2);

  await opensAbout(ben);
  await ben.getByRole("button", { name: "Take back my consent" }).click();
  await expect(ben.getByText("are removed from what was recorded. This cannot be undone.")).toBeVisible();
  await expect(ben.getByText("If the recording has become a clip, that is removed, too.")).toBeVisible();
  await look(ben, artifacts, "consent-back");
  await ben.getByRole("button", { name: "Take it back", exact: true }).click();
  await expect(ben.getByRole("dialog")).toContainText("You took back your consent.");

  const proof = async () =>
    (await ofSession<Replay>(ben, "replay")).events.filter(
      (e) => e.type === "recording.erased" && e.data.member === his,
    );
  await expect.poll(async () => (await proof()).length, { timeout: 120_000 }).toBeGreaterThan(0);
  for (const file of (await proof()).flatMap((e) => e.data.files ?? [])) expect(file.sha256).toMatch(/^[0-9a-f]{64}$/);
  for (const { id } of gone) {
    const answer = await amara.request.get(`${server.url}/api/sessions/${session}/segments/${id}`);
    expect(answer.status()).toBe(404);
  }
  const about = await opensAbout(amara);
  await expect(about.getByText(/Ben Carter took back their consent.*was removed: \d+ files/)).toBeVisible();
  await expect(lane).toHaveCount(1);
  await amara.keyboard.press("Escape");
  await amara.getByRole("button", { name: "Export" }).click();
  await amara.getByRole("menuitem", { name: "A clip of this conversation" }).click();
  await expect(
    amara.getByText("Somebody took back their consent to being recorded, so there is no clip."),
  ).toBeVisible();
});

test("a session that is deleted leaves a receipt for those who were there", async () => {
  const dialog = await opensAbout(amara);
  await dialog.getByRole("button", { name: "Delete it now" }).click();
  await expect(dialog.getByText("A receipt without any of your words says what was deleted.")).toBeVisible();
  await dialog.getByRole("button", { name: "Delete for good" }).click();
  await expect(amara.getByText(/It was deleted today by who planned it\./)).toBeVisible();

  await opensReplay(ben);
  await expect(ben.getByRole("heading", { name: "This session was deleted" })).toBeVisible();
  const receipt = await api<Receipt>(ben, "GET", `/api/receipts/${session}`);
  expect(receipt.files.length).toBeGreaterThanOrEqual(4);
  expect(JSON.stringify(receipt)).not.toMatch(/Ben|Amara|rough day/);
  const link = ben.getByRole("link", { name: "Save the receipt" });
  expect(await link.getAttribute("href")).toBe(`/api/receipts/${session}`);
});

test("more receipts than fit on a page are shown for the asking", async () => {
  const others = Array.from({ length: 100 }, async () => {
    const answer = await amara.request.delete(`${server.url}/api/sessions/${await planned(amara)}`);
    expect(answer.status()).toBe(204);
  });
  await Promise.all(others);
  await amara.reload();
  const rows = amara.getByRole("main").getByRole("listitem");
  await expect(rows).toHaveCount(100);
  await amara.getByRole("button", { name: "Show more" }).click();
  await expect(rows).toHaveCount(101);
  await expect(rows.last()).toContainText("Session of"); // the others had not begun
  await expect(amara.getByRole("button", { name: "Show more" })).toHaveCount(0);
});
