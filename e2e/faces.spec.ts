// One person to twelve: every face has its place, large enough and no strip, from a phone to a wide screen, watching and talking.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, type Page, test } from "@playwright/test";
import { practice, practiceIsReady, quietMember, seesAll } from "./lib/call.ts";
import { sizes as usual } from "./lib/look.ts";
import { enter, invitation, makeFirstAccount, newPerson } from "./lib/people.ts";
import { Server } from "./lib/server.ts";

const sizes = { ...usual, tablet: { width: 768, height: 1024 }, wide: { width: 1920, height: 1080 } };
const artifacts = new URL("./artifacts/", import.meta.url).pathname;
const names = [
  "Mei-Ling Chen",
  "Leila Haddad",
  "Ngô Thị Bích Ngọc",
  "Αλέξανδρος Παπαδόπουλος",
  "Olga Петрова",
  "Kwame Boateng-Mensah",
  "Inés de la Fuente Ortiz",
  "Yusuf Çelik",
  "Noah Ó Súilleabháin",
  "Priya Raghunathan",
];

let server: Server;
let amara: Page;

test.beforeAll(async ({ browser }) => {
  await mkdir(artifacts, { recursive: true });
  server = await Server.start();
  amara = await newPerson(browser, { viewport: sizes.desk, locale: "en-GB" });
  await makeFirstAccount(amara, server, server.url);
  await practiceIsReady(amara);
});

test.afterAll(async () => {
  await amara?.context().close();
  await server?.close();
});

interface Box {
  name: string;
  left: number;
  top: number;
  right: number;
  bottom: number;
}

interface Layout {
  faces: Box[];
  /** What holds the faces, where it cuts them off. */
  frame: Box;
  /** It can be pushed sideways, or the page up. */
  scrolls: boolean;
  notes: number;
  over: number;
}

function layout(page: Page): Promise<Layout> {
  return page.evaluate(() => {
    const box = (el: Element) => {
      const { left, top, right, bottom } = el.getBoundingClientRect();
      return { name: el.querySelector("strong")?.textContent ?? "", left, top, right, bottom };
    };
    const list = document.querySelector(".faces ul") as HTMLElement;
    const room = document.querySelector(".room") as HTMLElement;
    const frame = box(list);
    return {
      faces: [...list.children].map(box),
      frame: { ...frame, left: Math.max(0, frame.left), right: Math.min(innerWidth, frame.right) },
      scrolls:
        /auto|scroll/.test(getComputedStyle(list).overflowX) ||
        (room.scrollHeight > room.clientHeight + 1 && getComputedStyle(room).overflowY === "auto"),
      notes: document.querySelector(".notes-panel")?.getBoundingClientRect().height ?? 0,
      over: document.documentElement.scrollWidth - innerWidth,
    };
  });
}

const overlap = (a: Box, b: Box) =>
  Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 &&
  Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1;

/** Every face has its place in this room at this size. */
async function places(page: Page, n: number, room: "watching" | "talking"): Promise<void> {
  for (const [size, viewport] of Object.entries(sizes)) {
    await page.setViewportSize(viewport);
    const where = `${n} faces, ${room}, ${size}`;
    await expect.poll(async () => (await layout(page)).faces.length, where).toBe(n);
    await page.screenshot({ path: join(artifacts, `faces-${n}-${room}-${size}.png`) });
    const found = await layout(page);
    expect.soft(found.over, `${where}: wider than the screen`).toBeLessThanOrEqual(0);
    for (const [i, face] of found.faces.entries()) {
      const { left, top, right, bottom } = face;
      expect.soft(right - left, `${where}: ${face.name} is narrow`).toBeGreaterThanOrEqual(68);
      expect.soft(bottom - top, `${where}: ${face.name} is low`).toBeGreaterThanOrEqual(48);
      expect.soft((right - left) / (bottom - top), `${where}: ${face.name} is a strip`).toBeLessThanOrEqual(1.8);
      expect.soft((right - left) / (bottom - top), `${where}: ${face.name} is a slit`).toBeGreaterThanOrEqual(0.75);
      if (!found.scrolls) {
        const inside =
          left >= found.frame.left - 1 && right <= found.frame.right + 1 && top >= 0 && bottom <= viewport.height;
        expect.soft(inside, `${where}: ${face.name} is cut off ${JSON.stringify(face)}`).toBe(true);
      }
      const on = found.faces.slice(i + 1).filter((other) => overlap(face, other));
      expect.soft(on, `${where}: ${face.name} lies under others`).toEqual([]);
    }
    if (size !== "phone" && room === "watching")
      expect.soft(found.notes, `${where}: room for notes`).toBeGreaterThanOrEqual(220);
  }
}

for (const n of [1, 2, 3, 5, 9, 12]) {
  test(`${n} ${n === 1 ? "face" : "faces"}`, async ({ browser }) => {
    const session = await practice(amara);
    await amara.setViewportSize(sizes.desk);
    await enter(amara, `${server.url}/s/${session}`, undefined, null);
    const leave: (() => Promise<void>)[] = [];
    if (n > 1) {
      const tomasz = await newPerson(browser, { viewport: { width: 800, height: 600 } });
      await enter(tomasz, await invitation(amara, session, "coach", server.url), "Tomasz Wiśniewski", null);
      leave.push(() => tomasz.context().close());
    }
    await seesAll(amara, Math.min(n, 2));
    for (const name of names.slice(0, Math.max(0, n - 2)))
      leave.push(await quietMember(browser, server, amara, session, name));
    await expect(amara.getByText(`${n} here`)).toBeAttached();
    await places(amara, n, "watching");
    await amara.setViewportSize(sizes.desk);
    await amara.getByRole("button", { name: "Call a pause" }).click();
    await expect(amara.getByRole("heading", { name: "What do you see here?" })).toBeVisible();
    await places(amara, n, "talking");
    for (const one of leave) await one();
  });
}
