// What several specs do with a call: plan one, wait for its pictures, and fill it with people who cost nothing.
import { type Browser, expect, type Page, test } from "@playwright/test";
import { pictures } from "./media.ts";
import { api, invitation } from "./people.ts";
import type { Server } from "./server.ts";

/** A session that this person plans, without a clip if not said otherwise; its id. */
export async function planned(planner: Page, more: object = {}): Promise<string> {
  const { id } = await api<{ id: string }>(planner, "POST", "/api/sessions", {
    kind: "conversation",
    title: "A rough day",
    recorded: false,
    ...more,
  });
  return id;
}

/** A clip, as far as tests look at it. */
export interface Clip {
  id: string;
  title: string;
  state: string;
  progress: number;
  practice?: boolean;
  frames: number;
  refusal?: string;
}

/** Resolves with a clip when it is prepared. A busy machine takes its time for that: what is bounded is how long it stands still. */
export async function prepared(page: Page, which: (clip: Clip) => boolean): Promise<Clip> {
  test.setTimeout(Math.max(test.info().timeout, 900_000));
  for (let best = -1; ; ) {
    let clip: Clip | undefined;
    const moved = async () => {
      const { clips } = await api<{ clips: Clip[] }>(page, "GET", "/api/clips");
      clip = clips.find(which);
      if (clip?.state === "refused") throw new Error(`${clip.title} is refused: ${clip.refusal}`);
      return clip?.state === "ready" || (clip?.progress ?? -1) > best;
    };
    await expect.poll(moved, { timeout: 240_000, message: "the clip is being prepared" }).toBe(true);
    if (clip?.state === "ready") return clip;
    best = clip?.progress ?? best;
  }
}

/** Resolves when the practice clip is prepared. */
export async function practiceIsReady(planner: Page): Promise<void> {
  await prepared(planner, (c) => c.practice === true);
}

/** A session with the practice clip; its id. */
export async function practice(planner: Page): Promise<string> {
  const { id } = await api<{ id: string }>(planner, "POST", "/api/sessions", { practice: true });
  return id;
}

/** Resolves when the page shows n people and every picture moves. */
export async function seesAll(page: Page, n: number): Promise<void> {
  await expect(page.getByTestId("participant")).toHaveCount(n, { timeout: 45_000 });
  await expect
    .poll(async () => (await pictures(page)).filter((p) => p.light > 8 && p.range > 16).length, { timeout: 45_000 })
    .toBe(n);
  const before = await pictures(page);
  await expect
    .poll(async () => (await pictures(page)).filter((p, i) => p.time > (before[i]?.time ?? Infinity) + 0.3).length, {
      timeout: 45_000,
    })
    .toBe(n);
}

/** Ends the session that this page is in. */
export async function endForEveryone(page: Page): Promise<void> {
  await page.getByRole("button", { name: "More ways to leave" }).click();
  await page.getByRole("menuitem", { name: "End for everyone" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "End for everyone" }).click();
}

/** Somebody who is there and has neither picture nor sound: a WebSocket on an empty page. Gives how they leave. */
export async function quietMember(
  browser: Browser,
  server: Server,
  planner: Page,
  session: string,
  name: string,
): Promise<() => Promise<void>> {
  const link = new URL(await invitation(planner, session, "peer", server.url));
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(`${server.url}/healthz`);
  await page.evaluate(
    async ({ session, token, name }) => {
      const answer = await fetch(`/api/sessions/${session}/door`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ token, name }),
      });
      if (!answer.ok) throw new Error(`not let in: ${answer.status} ${await answer.text()}`);
      const socket = new WebSocket(`${location.origin.replace("http", "ws")}/api/sessions/${session}/ws`);
      const welcomed = new Promise<void>((resolve, reject) => {
        socket.onmessage = ({ data }) => JSON.parse(data).type === "welcome" && resolve();
        socket.onclose = (e) => reject(new Error(`closed with ${e.code} ${e.reason}`));
      });
      await new Promise((resolve) => {
        socket.onopen = resolve;
      });
      socket.send(JSON.stringify({ type: "hello", data: { consent: "", mic: false, camera: false } }));
      await welcomed;
      Object.assign(window, { socket });
    },
    { session, token: link.hash.slice(1), name },
  );
  return () => context.close();
}
