// What a stretch of playing says, as figures.
import type { Figures } from "./figures.ts";
import {
  between,
  clockSpread,
  displayedSkews,
  frameSpread,
  moments,
  startSpread,
  stepsBack,
  stops,
  together,
  trail,
} from "./measure.ts";
import type { Record } from "./recorder.ts";

const settled = 1500; // ms

/** A start, playing in step, and a pause at the end. frames are those on the screens, by their pixels. */
export function notePause(
  figures: Figures,
  kind: "called" | "prepared",
  records: Record[],
  fps: number,
  frames: number[],
  frame?: number,
): void {
  figures.add("pauses with everyone on one frame, by pixels", new Set(frames).size === 1 ? 1 : 0);
  if (frame !== undefined)
    for (const f of frames) figures.add("prepared pause: distance from its frame", Math.abs(f - frame));
  for (const r of records) figures.add("frames that somebody stepped back at a pause", stepsBack(r, fps));
  const began = firstOf(records, "play");
  const end = stops(records, fps);
  if (began === null || !end) return;
  figures.add("start spread, ms", startSpread(records, began - 200, fps) ?? Number.POSITIVE_INFINITY);
  const until = kind === "called" ? (lastPress(records) ?? end.first) : end.first;
  noteStretch(figures, records, fps, began + settled, until);
  const inStep = together(records, began, until);
  figures.add("within 40 ms after play, ms", inStep === null ? Number.POSITIVE_INFINITY : inStep - began);
  if (kind === "prepared") figures.add("prepared pause: last screen after the first, ms", end.last - end.first);
  else figures.add("everyone stopped after a called pause, ms", end.last - until);
}

/** Minutes in which nobody touches the clip; gives how often each page jumped meanwhile. */
export function noteSteady(figures: Figures, records: Record[], fps: number): number[] {
  const from = (firstOf(records, "play") ?? 0) + settled;
  const until = Math.min(...records.map((r) => r.ticks.at(-1)?.at ?? 0));
  noteStretch(figures, records, fps, from, until);
  return records.map((r) => r.events.filter((e) => e.type === "seeking" && e.at >= from && e.at < until).length);
}

/** The pitch is kept at other speeds, and everybody stays in step. */
export function noteRate(figures: Figures, records: Record[], until: number): void {
  const from = Math.max(...records.map((r) => r.ticks[0]?.at ?? 0));
  for (const at of moments(from, until)) {
    const spread = clockSpread(records, at);
    if (spread !== null) figures.add("media-clock spread at half, one and a half and double speed, ms", spread);
  }
}

/** A jump for everybody, of whoever has the controls. */
export function noteSeek(figures: Figures, records: Record[], until: number): void {
  const began = Math.min(...records.map((r) => r.events.find((e) => e.type === "seeking")?.at ?? Infinity));
  figures.add("within 40 ms after a buffered seek, ms", since(began, together(records, began, until)));
}

/** How long after a time it was so; infinite where it never was. */
export function since(began: number, at: number | null): number {
  return at === null ? Number.POSITIVE_INFINITY : at - began;
}

function noteStretch(figures: Figures, records: Record[], fps: number, from: number, until: number): void {
  for (const at of moments(from, until)) {
    const clocks = clockSpread(records, at);
    if (clocks !== null) figures.add("media-clock spread, ms", clocks);
    const frames = frameSpread(records, at, fps);
    if (frames === null) continue;
    figures.add("within one frame, part of the time", frames <= 1 ? 1 : 0);
    if (frames > 1) noteApart(figures, records, at, clocks);
  }
  const part = records.map((r) => between(r, from, until));
  for (const skew of displayedSkews(part, fps)) figures.add("displayed skew of pairs, ms", skew);
}

/** Frames are further apart than one: whether that is of the elements' times, or of a page whose pictures trail its element's. */
function noteApart(figures: Figures, records: Record[], at: number, clocks: number | null): void {
  if (clocks !== null) figures.add("where frames are apart: media-clock spread, ms", clocks);
  records.forEach((r, i) => {
    const by = trail(r, at);
    if (by !== null) figures.add(`where frames are apart: picture behind its element's time, person ${i + 1}, ms`, by);
  });
}

function firstOf(records: Record[], type: string): number | null {
  const at = Math.min(...records.map((r) => r.events.find((e) => e.type === type)?.at ?? Number.POSITIVE_INFINITY));
  return Number.isFinite(at) ? at : null;
}

function lastPress(records: Record[]): number | null {
  const at = Math.max(...records.map((r) => r.events.findLast((e) => e.type === "press")?.at ?? 0));
  return at || null;
}
