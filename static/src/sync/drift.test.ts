import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Drift, median, Pace } from "./drift.ts";

/** Looks so often until an error is believed. */
function believed(d: Drift, error: number, from: number): { error: number; at: number } {
	for (let now = from; now < from + 5000; now += 25) {
		const e = d.look(now, error);
		if (e !== null) return { error: e, at: now };
	}
	throw new Error("nothing was believed");
}

describe("Drift", () => {
	it("believes few samples after a start, and changes the speed much for a short time", () => {
		const d = new Drift();
		d.started(0, 0, 0, false);
		const { error, at } = believed(d, 48, 0);
		expect(at).toBeLessThanOrEqual(100);
		expect(d.move(at, error, false)).toEqual({ do: "nudge", factor: 1.2, ms: expect.closeTo(240, 5) });
	});

	it("who hears late of a start makes up for it at once, and looks then", () => {
		const d = new Drift();
		// 60 ms in 240, of which the end of the change itself takes 75.
		expect(d.started(100, 150, 90, false)).toEqual({ do: "nudge", factor: 1.25, ms: expect.closeTo(165, 5) });
		expect(d.over(314)).toBe(false);
		expect(d.look(314, 3)).toBeNull();
		expect(d.over(315)).toBe(true);
		expect(d.look(414, 3), "the change still takes effect").toBeNull();
		expect(believed(d, 3, 415).at).toBeLessThan(500);
		expect(d.started(100, 150, 140, false), "as starts vary").toBeNull();
		expect(d.started(100, 900, 140, false), "a jump is quicker").toBeNull();
	});

	it("who was not as late as it seemed ends what makes up for it so early that its end takes them to the line", () => {
		const d = new Drift();
		d.started(100, 150, 0, false); // 40 % faster
		expect(d.madeUp(200, 31)).toBe(false);
		expect(d.madeUp(220, 29)).toBe(true);
		expect(d.look(319, 0)).toBeNull();
		expect(believed(d, 3, 320).at).toBeLessThan(420);
	});

	it("takes its time later, and then hardly changes the pitch", () => {
		const d = new Drift();
		const { error, at } = believed(d, -16, 0);
		expect(at).toBeGreaterThanOrEqual(300);
		expect(d.move(at, error, false)).toEqual({ do: "nudge", factor: 0.98, ms: expect.closeTo(800, 5) });
	});

	it("closes each change by so much as it was meant to gain, whatever the error", () => {
		fc.assert(
			fc.property(fc.double({ min: -240, max: 240, noNaN: true }), fc.boolean(), (error, fresh) => {
				const d = new Drift();
				if (fresh) d.started(0, 0, 0, false);
				const move = d.move(10, error, false);
				if (Math.abs(error) <= 6) expect(move).toBeNull();
				else if (move?.do === "nudge") {
					expect((move.factor - 1) * move.ms).toBeCloseTo(error, 5);
					expect(Math.abs(move.factor - 1)).toBeLessThanOrEqual((fresh ? 0.4 : 0.12) + 1e-9);
				} else expect.unreachable("no jump for so little");
			}),
		);
	});

	it("reckons with what a change of speed loses where the pitch is kept", () => {
		const d = new Drift();
		const move = d.move(0, 30, true);
		expect(move?.do === "nudge" && (move.factor - 1) * move.ms).toBeCloseTo(48, 5);
		expect(new Drift().move(0, -30, true)).toMatchObject({ factor: 0.98 });
		expect(new Drift().move(0, -15, true)).toBeNull();
	});

	it("takes no samples while the speed is changed, and for a moment after", () => {
		const d = new Drift();
		d.move(0, 16, false);
		expect(d.over(700)).toBe(false);
		expect(d.look(700, 10)).toBeNull();
		expect(d.over(800)).toBe(true);
		const { at } = believed(d, 1, 800);
		expect(at).toBeGreaterThanOrEqual(1100);
	});

	it("jumps where it is far off, ever more rarely while that does not help", () => {
		const d = new Drift();
		const at: number[] = [];
		for (let now = 0; now < 40_000; now += 100) {
			if (d.move(now, 900, false)?.do !== "jump") continue;
			at.push(now);
			d.jumped(now);
		}
		expect(at).toEqual([0, 1000, 3000, 7000, 15_000, 31_000]);
		d.begin();
		expect(d.mayJump(40_000)).toBe(true);
	});
});

describe("Pace", () => {
	it("learns how long starting takes from the latest ones, and is not misled by one", () => {
		const p = new Pace();
		for (const took of [60, 62, 800, 58, 61]) p.started(took);
		expect(p.early).toBe(61);
		p.started(5000); // that was no start
		expect(p.early).toBe(61);
	});

	it("aims further ahead than the longest seek of late, and knows those that had to fetch apart", () => {
		const p = new Pace();
		const [before, fetched] = [p.ahead(true), p.ahead(false)];
		expect(fetched).toBeGreaterThan(before);
		p.sought(400, true);
		expect(p.ahead(true)).toBeGreaterThan(Math.max(before, 400));
		for (let i = 0; i < 3; i++) p.sought(80, true);
		expect(p.ahead(true)).toBeLessThan(before);
		expect(p.ahead(false)).toBe(fetched);
		p.sought(800, false);
		expect(p.ahead(false)).toBeGreaterThan(800);
		expect(p.ahead(true)).toBeLessThan(before);
	});
});

it("median is of the middle", () => {
	expect(median([5, 1, 9])).toBe(5);
	expect(median([4, 1, 9, 6])).toBe(5);
});
