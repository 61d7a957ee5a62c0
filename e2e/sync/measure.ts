// From what several pages noted to how far they are apart. Pure; times in milliseconds.
import type { Record, Shown, Ticked } from "./recorder.ts";

/** The part of a record between two times. */
export function between(record: Record, from: number, until: number): Record {
  const inside = <T extends { at: number }>(list: T[]) => list.filter((x) => x.at >= from && x.at < until);
  return { shown: inside(record.shown), ticks: inside(record.ticks), events: inside(record.events) };
}

/**
 * A record with the pictures of which its page did not hear: a page that is busy misses calls, and the next one says how many pictures
 * were presented. While it plays, those between came evenly. After it stood, those that it did not hear of came before the one that it
 * heard of as they are apart in the clip; where it went elsewhere, nobody knows when they came, and they are left out.
 */
export function whole(record: Record): Record {
  const shown: Shown[] = [];
  for (const s of record.shown) {
    const last = shown.at(-1);
    if (last && (plays(last, s) || starts(last, s))) shown.push(...unheard(last, s));
    shown.push(s);
  }
  return { ...record, shown };
}

/** The pictures between two, of which a page heard nothing. */
function unheard(a: Shown, b: Shown): Shown[] {
  const steps = b.count - a.count;
  const took = plays(a, b) ? b.at - a.at : (b.media - a.media) * 1000;
  return Array.from({ length: Math.max(0, steps - 1) }, (_, i) => {
    const part = (i + 1) / steps;
    return { at: b.at - took * (1 - part), media: a.media + (b.media - a.media) * part, count: a.count + i + 1 };
  });
}

/** Whether it stood on the first, and set off from there. */
function starts(a: Shown, b: Shown): boolean {
  return b.media > a.media && b.media - a.media < 0.2 && b.at - a.at >= 2000 * (b.media - a.media);
}

/** Whether it played from one picture to the next, at half its speed at least. */
function plays(a: Shown, b: Shown): boolean {
  return b.media > a.media && b.at - a.at < 2000 * (b.media - a.media);
}

/** An element's time at a moment, seconds, between what was noted before and after it; null where too little was noted. */
export function timeAt(ticks: Ticked[], at: number): number | null {
  const i = firstAfter(ticks, at);
  const [a, b] = [ticks[i - 1], ticks[i]];
  if (!a || !b || !(b.at - a.at <= 100 || ran(a, b) || stood(a, b))) return null;
  return a.time + ((b.time - a.time) * (at - a.at)) / (b.at - a.at);
}

/** Whether it played on between two looks that are far apart, as a busy page's are: then it was where it must have been meanwhile. */
function ran(a: Ticked, b: Ticked): boolean {
  return b.at - a.at <= 500 && Math.abs((b.time - a.time) * 1000 - (b.at - a.at)) <= 10;
}

/** Whether it stood still between two looks that are far apart. */
function stood(a: Ticked, b: Ticked): boolean {
  return a.paused && b.paused && a.time === b.time;
}

/** For how long an element's time did not move, each time that it did not for half a second, ms. */
export function stands({ ticks }: Record): number[] {
  const all: number[] = [];
  let [from, until] = [ticks[0], ticks[0]];
  for (const t of [...ticks, undefined]) {
    if (from && until && t && Math.abs(t.time - from.time) < 0.001) {
      until = t;
      continue;
    }
    if (from && until && until.at - from.at >= 500) all.push(until.at - from.at);
    [from, until] = [t, t];
  }
  return all;
}

/** The frame on the screen at a moment; null before the first. */
export function frameAt(shown: Shown[], at: number, fps: number): number | null {
  const s = shown[firstAfter(shown, at) - 1];
  return s ? frameOf(s, fps) : null;
}

/** Browsers tell a frame's beginning, rounded, or a time within it. */
export function frameOf(s: Shown, fps: number): number {
  return Math.floor(s.media * fps + 0.25);
}

/** Greatest difference of the elements' times at a moment, ms; null where one is not known. */
export function clockSpread(records: Record[], at: number): number | null {
  return spread(records.map((r) => timeAt(r.ticks, at)))?.valueOf() ?? null;
}

/** Greatest difference of the frames on the screens at a moment; null where one is not known. */
export function frameSpread(records: Record[], at: number, fps: number): number | null {
  const s = spread(records.map((r) => frameAt(r.shown, at, fps)));
  return s === null ? null : Math.round(s / 1000);
}

/** By how much the picture on the screen trails the element's time at a moment, ms; null where one is not known. */
export function trail(record: Record, at: number): number | null {
  const [time, shown] = [timeAt(record.ticks, at), record.shown[firstAfter(record.shown, at) - 1]];
  return time === null || !shown ? null : (time - shown.media) * 1000;
}

/** For each frame and each pair of pages that showed it while playing: how much later one did, ms. */
export function displayedSkews(records: Record[], fps: number): number[] {
  const firsts = records.map((r) => {
    const at = new Map<number, number>();
    for (const s of r.shown) if (!at.has(frameOf(s, fps))) at.set(frameOf(s, fps), s.at);
    return at;
  });
  return firsts.flatMap((a, i) =>
    firsts
      .slice(i + 1)
      .flatMap((b) => [...a].flatMap(([frame, at]) => (b.has(frame) ? [Math.abs(at - (b.get(frame) ?? 0))] : []))),
  );
}

/** Moments between two times, each step ms. */
export function moments(from: number, until: number, step = 10): number[] {
  return Array.from({ length: Math.max(0, Math.floor((until - from) / step)) }, (_, i) => from + i * step);
}

/**
 * When all elements' times came to within ms of each other and stayed so for half a second (or until the end); null if they never did.
 */
export function together(records: Record[], from: number, until: number, within = 40): number | null {
  let since: number | null = null;
  for (const at of moments(from, until)) {
    const s = clockSpread(records, at);
    if (s === null || s > within) since = null;
    else since ??= at;
    if (since !== null && at - since >= 500) return since;
  }
  return since;
}

/**
 * When the last page first showed another frame than the one it stood on at a time, minus when the first did, ms; null where one did not.
 * What a page stands on was shown before it was noted, perhaps: then the element's time tells.
 */
export function startSpread(records: Record[], from: number, fps: number): number | null {
  const starts = records.map((r) => {
    const stood = frameAt(r.shown, from, fps) ?? frameOfTime(r.ticks, from, fps);
    return stood === null ? undefined : r.shown.find((s) => s.at > from && frameOf(s, fps) > stood)?.at;
  });
  if (starts.some((s) => s === undefined)) return null;
  return Math.max(...(starts as number[])) - Math.min(...(starts as number[]));
}

function frameOfTime(ticks: Ticked[], at: number, fps: number): number | null {
  const tick = ticks[Math.max(0, firstAfter(ticks, at) - 1)];
  return tick ? Math.floor(tick.time * fps) : null;
}

/** When the last page came to show what it stands on at the end, and when the first did. A frame that is shown again is no new one. */
export function stops(records: Record[], fps: number): { first: number; last: number } | null {
  const ends = records.map(({ shown }) => {
    const last = shown.at(-1);
    if (!last) return undefined;
    const before = shown.findLastIndex((s) => frameOf(s, fps) !== frameOf(last, fps));
    return shown[before + 1]?.at;
  });
  if (ends.some((e) => e === undefined)) return null;
  return { first: Math.min(...(ends as number[])), last: Math.max(...(ends as number[])) };
}

/** How many frames a page went back before it stood still. */
export function stepsBack(record: Record, fps: number): number {
  const frames = record.shown.map((s) => frameOf(s, fps));
  const last = frames.at(-1);
  return last === undefined ? 0 : Math.max(0, Math.max(...frames) - last);
}

/** The value below which that part of the list is; NaN of an empty one. */
export function percentile(list: number[], part: number): number {
  const sorted = [...list].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}

function spread(seconds: (number | null)[]): number | null {
  if (seconds.some((s) => s === null)) return null;
  return (Math.max(...(seconds as number[])) - Math.min(...(seconds as number[]))) * 1000;
}

/** The place of the first that is later. Lists are in order, but for what the screen expected wrongly by a moment. */
function firstAfter(list: { at: number }[], at: number): number {
  let [lo, hi] = [0, list.length];
  while (lo < hi) {
    const mid = (lo + hi) >> 1;
    if ((list[mid]?.at ?? 0) <= at) lo = mid + 1;
    else hi = mid;
  }
  return lo;
}
