// What the measures of playback in step know, and what they do not.
import { expect, test } from "@playwright/test";
import { stands, timeAt, together } from "./sync/measure.ts";
import type { Record, Ticked } from "./sync/recorder.ts";

const tick = (at: number, time: number, paused = false): Ticked => ({ at, time, paused });
const record = (ticks: Ticked[]): Record => ({ shown: [], ticks, events: [] });

test("where a busy page stands still, its time is known", () => {
  expect(timeAt([tick(0, 5, true), tick(400, 5, true)], 200)).toBe(5);
  expect(timeAt([tick(0, 5, true), tick(400, 5)], 200)).toBeNull();
  expect(timeAt([tick(0, 5, true), tick(400, 6, true)], 200)).toBeNull();
  expect(timeAt([tick(0, 5), tick(400, 5.4)], 200)).toBeCloseTo(5.2, 6);
  const busy = record([tick(0, 5, true), tick(20, 5, true), tick(300, 5, true), tick(900, 5, true)]);
  const other = record(Array.from({ length: 60 }, (_, i) => tick(20 * i, 5, true)));
  expect(together([busy, other], 0, 900)).toBe(0);
});

test("each time that somebody stood still for half a second counts", () => {
  const ticks: Ticked[] = [];
  for (let at = 0, time = 0; at < 10_000; at += 20) {
    const still = (at >= 2000 && at < 2400) || (at >= 4000 && at < 5000) || at >= 9000;
    if (!still) time += 0.02;
    ticks.push(tick(at, time));
  }
  const all = stands(record(ticks));
  expect(all).toHaveLength(2);
  expect(all[0]).toBeCloseTo(1000, -2);
  expect(all[1]).toBeCloseTo(1000, -2);
});
