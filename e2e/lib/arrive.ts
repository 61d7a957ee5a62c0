// How a replay comes to where it is asked to be, watched in the page itself, whichever program drives its browser.
import type { Page } from "@playwright/test";
import type { Page as PuppeteerPage } from "puppeteer-core";

/** A page, as far as this needs one. */
export interface Tab {
  run<A, R>(inPage: (argument: A) => R | Promise<R>, argument: A): Promise<R>;
  click(x: number, y: number): Promise<void>;
  /** Resolves when the page has begun. */
  open(url: string): Promise<void>;
}

export function tabOf(page: Page): Tab {
  return {
    run: (inPage, argument) => page.evaluate(inPage as never, argument as never),
    click: (x, y) => page.mouse.click(x, y),
    open: async (url) => void (await page.goto(url, { waitUntil: "domcontentloaded" })),
  };
}

export function tabOfFirefox(page: PuppeteerPage): Tab {
  return {
    run: (inPage, argument) => page.evaluate(inPage as never, argument as never) as Promise<never>,
    click: (x, y) => page.mouse.click(x, y),
    open: async (url) => void (await page.goto(url, { waitUntil: "domcontentloaded" })),
  };
}

interface Segment {
  member: string;
  source: string;
  mime: string;
  start: number;
  end: number;
  bytes: number;
}

/** What the server says of a session that is over. Times in ms of session time. */
export interface Replay {
  duration: number;
  segments: Segment[];
  events: { type: string; at?: number; data: { playback?: { mode: string; position: number; at?: number } } }[];
}

/** What a page is watched for. */
export interface Aim {
  duration: number;
  segments: Segment[];
  /** Members, in the order in which the page has their voices. */
  voices: string[];
  /** When the clip, which was played once, began at which of its µs; null where it was not. */
  clip: { at: number; position: number } | null;
  /** It plays on from there. */
  moving: boolean;
  /** The page was opened at this moment: Play is pressed as soon as there is such a button. Else the next press is on the timeline. */
  opened?: number;
}

export interface Arrival {
  /** ms of session time */
  place: number;
  /** From the press, or from the begin of navigation, until all was there, ms. */
  took: number;
  /** From the begin of navigation until Play was pressed, ms. */
  pressed: number;
  /** When each part was there, ms. */
  parts: Record<string, number>;
  /** All that belongs to the place was in the buffers before. */
  buffered: boolean;
}

export function aimOf(replay: Replay, moving: boolean): Aim {
  const voices = [...replay.segments].sort((a, b) => a.start - b.start).filter((s) => s.source === "audio");
  const played = replay.events.find((e) => e.data.playback?.mode === "playing")?.data.playback;
  return {
    duration: replay.duration,
    segments: replay.segments,
    voices: [...new Set(voices.map((s) => s.member))],
    clip: played ? { at: played.at ?? 0, position: played.position } : null,
    moving,
  };
}

/** The stretch in which there is a picture and a voice of everybody. */
export function common(replay: Replay): { from: number; to: number } {
  const tracks = new Map<string, { from: number; to: number }>();
  for (const { member, source, start, end } of replay.segments) {
    const t = tracks.get(`${member} ${source}`) ?? { from: start, to: end };
    tracks.set(`${member} ${source}`, { from: Math.min(t.from, start), to: Math.max(t.to, end) });
  }
  const all = [...tracks.values()];
  return { from: Math.max(...all.map((t) => t.from)), to: Math.min(...all.map((t) => t.to)) };
}

/** Goes to a session time by a click on the timeline; resolves when everything is there. */
export async function seek(tab: Tab, aim: Aim, to: number): Promise<Arrival> {
  await tab.run(watch, aim);
  const box = await tab.run(boxOfTimeline, null);
  await tab.click(box.x + box.width * (to / aim.duration), box.y + box.height / 2);
  return tab.run(arrived, null);
}

/** Opens a replay at a session time, and plays; resolves when everything moves. */
export async function open(tab: Tab, aim: Aim, address: string, at: number): Promise<Arrival> {
  await tab.open(`${address}?t=${(at / 1000).toFixed(3)}`);
  await tab.run(watch, { ...aim, moving: true, opened: at });
  return tab.run(arrived, null);
}

function boxOfTimeline(): { x: number; y: number; width: number; height: number } {
  const slider = document.querySelector('[role="slider"][aria-label="Conversation position"]');
  const { x, y, width, height } = (slider as Element).getBoundingClientRect();
  return { x, y, width, height };
}

function arrived(): Promise<Arrival> {
  return (window as unknown as { __arrival: Promise<Arrival> }).__arrival;
}

/**
 * In a page: waits for the next press, and then for all that has something at its place: of a picture until a frame of there was
 * presented, or where it plays, until it moves on from there.
 */
function watch(aim: Aim): void {
  const near = 0.2; // s
  const patience = 20_000;
  type Part = { name: string; el: HTMLVideoElement; at: number; moves: boolean; was: boolean; there: number };
  const shown = new Map<HTMLVideoElement, { when: number; media: number }[]>();
  let over = false;
  const find = (id: string) => [...document.querySelectorAll<HTMLVideoElement>(`[data-testid="${id}"]`)];
  const note = (el: HTMLVideoElement) => {
    if (shown.has(el)) return;
    const list: { when: number; media: number }[] = [];
    shown.set(el, list);
    const one: VideoFrameRequestCallback = (_, { mediaTime }) => {
      list.push({ when: performance.now(), media: mediaTime });
      if (!over) el.requestVideoFrameCallback(one);
    };
    el.requestVideoFrameCallback(one);
  };
  const partsAt = (place: number): Part[] => {
    const has = (member: string | undefined, source: string) =>
      aim.segments.some(
        (s) => s.member === member && s.source === source && s.start + 100 <= place && place < s.end - 500,
      );
    const part = (name: string, el: HTMLVideoElement, at: number, moves: boolean): Part => {
      const was = !el.seeking && el.readyState >= 2 && Math.abs(el.currentTime - at) < 0.01;
      return { name, el, at, moves: aim.moving && moves, was, there: 0 };
    };
    const memberOf = (el: Element) => el.closest<HTMLElement>("[data-member]")?.dataset.member;
    const runs = aim.clip !== null && place > aim.clip.at;
    const clip = (el: HTMLVideoElement) => {
      const { at, position } = aim.clip ?? { at: Number.POSITIVE_INFINITY, position: 0 };
      return part("clip", el, position / 1e6 + Math.max(0, place - at) / 1000, runs);
    };
    return [
      ...find("clip")
        .filter(() => aim.clip !== null)
        .map(clip),
      ...find("participant")
        .filter((el) => has(memberOf(el), "camera"))
        .map((el) => part(`face of ${memberOf(el)}`, el, place / 1000, true)),
      ...find("voice").flatMap((el, i) =>
        has(aim.voices[i], "audio") ? [part(`voice of ${aim.voices[i]}`, el, place / 1000, true)] : [],
      ),
    ];
  };
  /** Whether a part is there since a press. */
  const isThere = ({ el, at, moves, was }: Part, press: number) => {
    if (el.seeking || el.readyState < 2 || (moves && el.paused)) return false;
    const most = at + near + (moves ? (performance.now() - press) / 1000 : 0);
    const right = (s: number) => s >= at - near && s <= most;
    if (!right(el.currentTime)) return false;
    if (el.tagName === "AUDIO") return !moves || el.currentTime > at + 0.02;
    const frames = (shown.get(el) ?? []).filter((f) => f.when >= press && right(f.media)).map((f) => f.media);
    return moves ? new Set(frames).size > 1 : was || frames.length > 0;
  };
  const holds = ({ el, at }: Part) =>
    Array.from({ length: el.buffered.length }).some((_, i) => el.buffered.start(i) <= at && at < el.buffered.end(i));

  const begun = new Promise<{ press: number; place: number; buffered: boolean }>((begin) => {
    for (const id of ["participant", "clip"]) find(id).forEach(note);
    if (aim.opened !== undefined) {
      const look = () => {
        for (const id of ["participant", "clip"]) find(id).forEach(note);
        const button = document.querySelector<HTMLButtonElement>('button[aria-label="Play"]');
        if (!button) return;
        clearInterval(timer);
        begin({ press: performance.now(), place: aim.opened ?? 0, buffered: false });
        button.click();
      };
      const timer = setInterval(look, 4);
      return;
    }
    const press = (e: PointerEvent) => {
      const slider = (e.target as Element).closest('[role="slider"]');
      if (!slider) return;
      removeEventListener("pointerdown", press, true);
      const { left, width } = slider.getBoundingClientRect();
      const place = ((e.clientX - left) / width) * aim.duration;
      begin({ press: e.timeStamp, place, buffered: partsAt(place).every(holds) });
    };
    addEventListener("pointerdown", press, true);
  });
  const arrival = begun.then(({ press, place, buffered }) => {
    const parts = partsAt(place);
    return new Promise<Arrival>((resolve, reject) => {
      const look = () => {
        const now = performance.now();
        const from = aim.opened === undefined ? press : 0;
        for (const p of parts) {
          note(p.el);
          if (!p.there && isThere(p, press)) p.there = now - from;
        }
        const late = parts.filter((p) => !p.there);
        if (late.length > 0 && now - press < patience) return;
        clearInterval(timer);
        over = true;
        const times = Object.fromEntries(parts.map((p) => [p.name, p.there]));
        const where = (p: Part) =>
          `${p.name} is at ${p.el.currentTime}, state ${p.el.readyState}${p.el.seeking ? ", seeking" : ""}`;
        if (late.length > 0)
          reject(
            new Error(`at ${place} ms of the session not there (${late[0]?.at} s): ${late.map(where).join("; ")}`),
          );
        else resolve({ place, took: Math.max(...Object.values(times)), pressed: press, parts: times, buffered });
      };
      const timer = setInterval(look, 4);
    });
  });
  arrival.catch(() => {}); // whoever takes it hears of it
  Object.assign(window, { __arrival: arrival });
}
