// What a person does before and at the door, by the names that they read on the screen.
import type { Browser, BrowserContext, Page } from "@playwright/test";
import { expect } from "@playwright/test";
import { watchPeers } from "./media.ts";
import type { Server } from "./server.ts";

/** What a page wanted and its Content-Security-Policy refused. */
export const refusals: string[] = [];

/** A browser of one's own, with its own cookies. */
export async function newPerson(browser: Browser, options: Parameters<Browser["newContext"]>[0] = {}): Promise<Page> {
  const context: BrowserContext = await browser.newContext({ viewport: { width: 1366, height: 650 }, ...options });
  await watchPeers(context);
  const page = await context.newPage();
  page.on("console", (message) => {
    if (/Content Security Policy/i.test(message.text())) refusals.push(message.text());
  });
  return page;
}

/** Of the first account. */
export const email = "amara@example.org";
export const password = "a long enough password";

/** Makes the first account with the one-time link. */
export async function makeFirstAccount(page: Page, server: Server, url: string): Promise<void> {
  await page.goto(`${url}/setup#${server.setupToken}`);
  await page.getByLabel("Your name").fill("Amara Okafor");
  await page.getByLabel("Email").fill(email);
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.getByRole("button", { name: "Create account" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  await expect(page).toHaveURL(`${url}/`);
}

/** Goes through the door: a name where it is asked, consent, Join. */
export async function enter(
  page: Page,
  link: string,
  name?: string,
  consent: "I agree" | "Not this time" | null = "I agree",
): Promise<void> {
  await page.goto(link);
  if (name) await page.getByLabel("Your name").fill(name);
  if (consent) await page.getByRole("radio", { name: consent }).check();
  await page.getByRole("button", { name: "Join", exact: true }).click();
}

/** The JSON answer of a request made as this person. */
export async function api<T>(page: Page, method: "GET" | "POST" | "PATCH", path: string, data?: unknown): Promise<T> {
  const url = new URL(path, page.url()).href;
  const answer = await page.request.fetch(url, { method, data });
  expect(answer.ok(), `${method} ${path}: ${answer.status()} ${await answer.text()}`).toBe(true);
  return (await answer.json()) as T;
}

/** The invitation link of a role, on the origin that this person's browser uses. */
export async function invitation(planner: Page, session: string, role: string, origin: string): Promise<string> {
  const { links } = await api<{ links: { role: string; url: string }[] }>(
    planner,
    "GET",
    `/api/sessions/${session}/invitations`,
  );
  const link = links.find((l) => l.role === role);
  if (!link) throw new Error(`no link for ${role}`);
  const { pathname, hash } = new URL(link.url, origin);
  return `${origin}${pathname}${hash}`;
}
