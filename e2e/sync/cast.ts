// People in browsers of their own, each behind a network of their own: pages, clip and commands through lib/delay.ts, media through
// bench/impair.
import { type Browser, chromium, expect, type Page } from "@playwright/test";
import { args, executablePath } from "../lib/chromium.ts";
import { displayedFrame } from "../lib/clip.ts";
import { Delay, type Network } from "../lib/delay.ts";
import { type Conditions, Impair, throughPort } from "../lib/impair.ts";
import { newPerson } from "../lib/people.ts";
import type { Server } from "../lib/server.ts";
import { whole } from "./measure.ts";
import { keepRecord, type Record, takeRecord } from "./recorder.ts";

/** One way, in milliseconds, with 1 % loss: a wired school, a wireless one, and somebody far away. */
export const networks: [Network, ...Network[]] = [
  { delay: 20, jitter: 5, loss: 0.01 },
  { delay: 60, jitter: 10, loss: 0.01 },
  { delay: 120, jitter: 30, loss: 0.01 },
];

/** The same for packets: jitter is what is added there. */
function mediaOf({ delay, jitter, ...more }: Network): Conditions {
  return { delay: delay - jitter, jitter: 2 * jitter, ...more };
}

export class Person {
  private constructor(
    readonly page: Page,
    readonly network: Network,
    readonly delay: Delay,
    private readonly impair: Impair,
    private readonly browser: Browser,
  ) {}

  static async start(server: Server, network: Network): Promise<Person> {
    const delay = await Delay.start(server.port, network);
    const impair = await Impair.start(server.mediaPort);
    const browser = await chromium.launch({ executablePath, args });
    const page = await newPerson(browser);
    await page.addInitScript(keepRecord);
    await page.addInitScript(throughPort, impair.port);
    const person = new Person(page, network, delay, impair, browser);
    await person.change(network);
    return person;
  }

  get origin(): string {
    return this.delay.url;
  }

  /** Everything through another network from now on. */
  async change(network: Network): Promise<void> {
    this.delay.change(network);
    const media = mediaOf(network);
    await this.impair.set({ up: media, down: media });
  }

  /** Nothing arrives while it is out. */
  async outage(out: boolean): Promise<void> {
    this.delay.outage(out);
    const media = out ? { loss: 1 } : mediaOf(this.network);
    await this.impair.set({ up: media, down: media });
  }

  async press(key: string): Promise<void> {
    await this.page.locator("body").press(key);
  }

  async click(name: string): Promise<void> {
    await this.page.getByRole("button", { name, exact: true }).click();
  }

  /** What was noted since the last time. */
  take(): Promise<Record> {
    return this.page.evaluate(takeRecord).then(whole);
  }

  async close(): Promise<void> {
    await this.browser.close();
    await this.impair.close();
    await this.delay.close();
  }
}

/** Resolves when every page says that all of them are on the frame of a pause. */
export async function allOnFrame(people: Person[]): Promise<void> {
  const words = `${people.length} of ${people.length} on this frame`;
  await Promise.all(people.map(({ page }) => page.evaluate(pauseSays, words)));
}

/** Resolves with the frame on which all stand, by the pixels, where it is no pause. */
export async function standing(people: Person[]): Promise<number> {
  const still = ({ page }: Person) =>
    page.getByTestId("clip").evaluate((v) => (v as HTMLVideoElement).paused && !(v as HTMLVideoElement).seeking);
  await expect.poll(async () => (await Promise.all(people.map(still))).every((s) => s)).toBe(true);
  let frames: number[] = [];
  const different = async () => {
    frames = await Promise.all(people.map(({ page }) => displayedFrame(page)));
    return new Set(frames).size;
  };
  await expect.poll(different, { message: "frames of people who stand" }).toBe(1);
  return frames[0] as number;
}

/** Seconds that are left to think, as each page says at this moment. */
export async function secondsLeft(people: Person[]): Promise<number[]> {
  const label = ({ page }: Person) => page.getByRole("timer").getAttribute("aria-label");
  return (await Promise.all(people.map(label))).map((l) => Number.parseInt(l ?? "", 10));
}

/** Resolves when no page shows a pause. */
export async function noPause(people: Person[]): Promise<void> {
  await Promise.all(people.map(({ page }) => page.evaluate(pauseSays, null)));
}

/**
 * In a page: resolves when the line below a pause has these words, or, with null, when there is none. It looks when the page changes:
 * asking again and again would take time that the page needs for what is measured.
 */
function pauseSays(words: string | null): Promise<void> {
  return new Promise((resolve, reject) => {
    const look = () => {
      const line = document.querySelector('[data-testid="on-frame"]');
      if (words === null ? line : !line?.textContent?.includes(words)) return;
      observer.disconnect();
      resolve();
    };
    const observer = new MutationObserver(look);
    observer.observe(document.body, { subtree: true, childList: true, characterData: true });
    look();
    setTimeout(() => {
      observer.disconnect();
      reject(
        new Error(
          `the pause does not say ${words}: ${document.querySelector('[data-testid="on-frame"]')?.textContent}`,
        ),
      );
    }, 20_000);
  });
}

/** Takes what all noted. */
export async function takeAll(people: Person[]): Promise<Record[]> {
  return Promise.all(people.map((p) => p.take()));
}

/** Now, on the clock of the records. */
export function now(): number {
  return performance.timeOrigin + performance.now();
}
