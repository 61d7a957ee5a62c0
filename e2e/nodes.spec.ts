// Two servers, and a call on one of them, which is killed: both browsers are back by themselves, with all that was said, where the clip
// is by then.
import { expect, type Page, test } from "@playwright/test";
import { planned, prepared, seesAll } from "./lib/call.ts";
import { Nodes } from "./lib/nodes.ts";
import { enter, invitation, makeFirstAccount, newPerson } from "./lib/people.ts";

/** How long what must come is waited for: dead servers are waited out, on machines that have much else to do. */
const patience = { timeout: 90_000 };

/** A pause that the clip reaches about when the server is dead. */
const pause = {
  id: "0192f0c8-7b1e-7000-8000-000000000002",
  frame: 200,
  prompt: "Who speaks first?",
  think: 3000,
  talk: 240_000,
};

let nodes: Nodes;
let amara: Page;
let ben: Page;

test.beforeAll(async ({ browser }) => {
  nodes = await Nodes.start();
  amara = await newPerson(browser);
  ben = await newPerson(browser);
});

test.afterAll(async () => {
  for (const page of [amara, ben]) await page?.context().close();
  await nodes?.close();
});

/** Where the page's clip is, in seconds. */
const position = (page: Page) => page.getByTestId("clip").evaluate((video) => (video as HTMLVideoElement).currentTime);

async function writes(page: Page, text: string): Promise<void> {
  await page.getByLabel("Write a note").fill(text);
  await page.getByRole("button", { name: /^Add/ }).click();
}

test("a server of two is killed in the middle of a call", async () => {
  const one = await nodes.add("one");
  await makeFirstAccount(amara, one, nodes.url);
  const clip = await prepared(amara, (c) => c.practice === true);
  const session = await planned(amara, { clip: clip.id, pauses: [pause] });
  await enter(amara, `${nodes.url}/s/${session}`, undefined, null);
  await expect(amara.getByTestId("participant")).toHaveCount(1); // so the session is at the only server
  await nodes.add("two");
  await enter(ben, await invitation(amara, session, "coach", nodes.url), "Ben Carter", null);
  for (const page of [amara, ben]) await seesAll(page, 2);
  await writes(amara, "Before it was killed.");
  await expect(ben.getByText("Before it was killed.").first()).toBeVisible();
  await amara.getByRole("button", { name: "Play", exact: true }).click();
  await expect.poll(() => position(ben)).toBeGreaterThan(1);

  await one.kill();
  await writes(ben, "And after it.");
  for (const page of [amara, ben]) {
    await expect(page.getByText("2 of 2 on this frame").first()).toBeVisible(patience);
    await seesAll(page, 2);
    await page.getByRole("button", { name: "Notes", exact: true }).click(); // at a pause they are put away
    for (const text of ["Before it was killed.", "And after it."]) {
      await expect(page.getByText(text).first()).toBeVisible(patience);
    }
  }
  expect(await position(amara)).toBeCloseTo(await position(ben), 2);
});
