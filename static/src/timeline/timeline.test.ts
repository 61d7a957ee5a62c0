import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { coalesce } from "./coalesce.ts";
import { group, thin } from "./group.ts";
import { CLOSEST, follow, fraction, opening, pan, rulerTimes, timeAt, zoom } from "./scale.ts";
import { type Sprites, tileAt, tileStyle } from "./sprites.ts";

const minute = 60_000_000;

describe("the window", () => {
	it("zooms around a time that stays where it is, within the clip", () => {
		const w = zoom({ from: 0, to: 40 * minute }, 2, 10 * minute, 40 * minute);
		expect(w).toEqual({ from: 5 * minute, to: 25 * minute });
		expect(fraction(10 * minute, w)).toBe(0.25);
		expect(timeAt(0.25, w)).toBe(10 * minute);
		expect(zoom(w, 0.1, 10 * minute, 40 * minute)).toEqual({ from: 0, to: 40 * minute });
		const closest = zoom(w, 1e6, 39.99 * minute, 40 * minute);
		expect(closest.to - closest.from).toBe(CLOSEST);
		expect(closest.to).toBeLessThanOrEqual(40 * minute);
	});

	it("of a clip shorter than the closest zoom is the clip", () => {
		expect(zoom({ from: 0, to: 2_000_000 }, 3, 1_000_000, 2_000_000)).toEqual({ from: 0, to: 2_000_000 });
	});

	it("pans no further than the clip", () => {
		expect(pan({ from: minute, to: 3 * minute }, 90 * minute, 10 * minute)).toEqual({
			from: 8 * minute,
			to: 10 * minute,
		});
	});

	it("follows what leaves it, and stays where it shows it", () => {
		const w = { from: 0, to: minute };
		expect(follow(w, minute / 2, 10 * minute)).toBe(w);
		const moved = follow(w, 2 * minute, 10 * minute);
		expect(fraction(2 * minute, moved)).toBeCloseTo(0.12);
	});

	it("opens on the chosen range with a margin", () => {
		const w = opening({ duration: 40 * minute, from: 10 * minute, to: 30 * minute });
		expect(w).toEqual({ from: 9 * minute, to: 31 * minute });
		expect(opening({ duration: 40 * minute, from: 0, to: 40 * minute })).toEqual({ from: 0, to: 40 * minute });
	});

	it("has round times on its ruler, not too close", () => {
		const times = rulerTimes({ from: 0, to: 40 * minute }, 800);
		expect(times[0]).toBe(5 * minute);
		expect(times.every((t) => t % (5 * minute) === 0)).toBe(true);
		expect(rulerTimes({ from: 0, to: minute }, 0)).toEqual([]);
	});
});

describe("group", () => {
	const at = (x: number) => x;

	it("joins neighbours nearer than a finger, and leaves out what is not in view", () => {
		const groups = group([-50, 0, 10, 30, 60, 900], at, 500);
		expect(groups.map((g) => g.marks.map((m) => m.mark))).toEqual([[0, 10, 30], [60]]);
		expect(groups[0]).toMatchObject({ from: 0, to: 30 });
	});

	it("parts them at exactly the gap", () => {
		expect(group([0, 24], at, 500)).toHaveLength(2);
		expect(group([0, 23.9], at, 500)).toHaveLength(1);
	});

	it("copes with thousands, and draws few of them", () => {
		const marks = Array.from({ length: 5000 }, (_, i) => i / 10);
		const groups = group(marks, at, 500);
		expect(groups).toHaveLength(1);
		expect(thin(groups[0]!.marks).length).toBeLessThan(80);
	});
});

describe("sprites", () => {
	const s: Sprites = { interval: 1_000_000, width: 160, height: 90, cols: 10, rows: 10, count: 130, sheets: 2 };

	it("finds the tile of a time", () => {
		expect(tileAt(0, s)).toEqual({ sheet: 0, col: 0, row: 0 });
		expect(tileAt(12_999_999, s)).toEqual({ sheet: 0, col: 2, row: 1 });
		expect(tileAt(105_000_000, s)).toEqual({ sheet: 1, col: 5, row: 0 });
		expect(tileAt(9e12, s)).toEqual({ sheet: 1, col: 9, row: 2 });
	});

	it("draws it in any box", () => {
		expect(tileStyle("c", { sheet: 1, col: 9, row: 0 }, s)).toEqual({
			backgroundImage: 'url("/api/clips/c/media/thumbs-1.jpg")',
			backgroundSize: "1000% 1000%",
			backgroundPosition: "100% 0%",
		});
	});
});

describe("coalesce", () => {
	beforeEach(() => void vi.useFakeTimers());
	afterEach(() => void vi.useRealTimers());

	it("lets the first through at once, then one in a time, and the last always", () => {
		const out: number[] = [];
		const c = coalesce((v: number) => out.push(v), 120);
		for (let i = 0; i < 10; i++) {
			c.push(i);
			vi.advanceTimersByTime(30);
		}
		expect(out).toEqual([0, 3, 7]);
		vi.advanceTimersByTime(500);
		expect(out).toEqual([0, 3, 7, 9]);
		c.push(20);
		c.push(21);
		c.flush();
		c.push(22);
		c.cancel();
		vi.advanceTimersByTime(500);
		expect(out).toEqual([0, 3, 7, 9, 20, 21, 22]);
	});
});
