// Some elements that follow one line, each with a machine of its own: how long they take to start and to seek, how coarse and how fast
// their clocks are, when they stall.
import fc from "fast-check";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Follower } from "./follower.ts";
import { frameMiddle, type Line } from "./line.ts";
import { SimulatedMedia } from "./simulated.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const rate = { fpsNum: 30, fpsDen: 1 };
const line = (seq: number, moving: boolean, position: number, at: number): Line => ({
	seq,
	moving,
	position,
	at,
	rate: 1,
	stop: null,
});

interface Machine {
	start: number;
	seek: number;
	/** from a change of speed until it takes effect */
	change: number;
	/** part of which that varies */
	varies: number;
	coarse: number;
	/** parts of a million */
	skew: number;
	luck: number[];
}

const machine: fc.Arbitrary<Machine> = fc.record({
	start: fc.integer({ min: 5, max: 160 }),
	seek: fc.integer({ min: 10, max: 400 }),
	change: fc.integer({ min: 0, max: 90 }),
	varies: fc.double({ min: 0, max: 0.2, noNaN: true }),
	coarse: fc.constantFrom(0, 2, 10),
	skew: fc.integer({ min: -200, max: 200 }),
	luck: fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 7, maxLength: 7 }),
});

function follow({ start, seek, change, varies, coarse, skew, luck }: Machine) {
	let n = 0;
	const varied = (ms: number) => () => ms * (1 + varies * (luck[n++ % luck.length] ?? 0));
	const media = new SimulatedMedia({
		startTakes: varied(start),
		seekTakes: varied(seek),
		rateTakes: change,
		coarse,
		skew: 1 + skew / 1e6,
		hidden: true,
	});
	const shown: number[] = [];
	const begun = performance.now();
	const now = () => performance.now() - begun;
	const follower = new Follower(media, { now, rate, onShown: (_, frame) => shown.push(frame) });
	return { media, follower, shown, behind: () => follower.target() / 1000 - media.time * 1000 };
}

const run = (ms: number) => vi.advanceTimersByTimeAsync(ms);
const seeks = (m: SimulatedMedia) => m.log.filter((l) => l.startsWith("seek")).length;

it("elements that start together are in step soon, stay so without a jump, and stop on one frame", async () => {
	await fc.assert(
		fc.asyncProperty(fc.array(machine, { minLength: 2, maxLength: 4 }), async (machines) => {
			const all = machines.map(follow);
			for (const { follower } of all) follower.follow(line(1, false, 2_016_666, 0));
			await run(1000);
			for (const { follower } of all) follower.follow(line(2, true, 2_016_666, 1250));
			await run(250 + 600);
			for (const { behind } of all) expect(Math.abs(behind())).toBeLessThan(60);
			await run(900);
			for (const { behind } of all) expect(Math.abs(behind())).toBeLessThan(15);
			const before = all.map(({ media }) => seeks(media));
			await run(20_000);
			for (const { behind } of all) expect(Math.abs(behind())).toBeLessThan(15);
			expect(all.map(({ media }) => seeks(media))).toEqual(before);
			const frame = Math.floor((2_016_666 + 21_750_000) / (1e6 / 30));
			for (const { follower } of all) follower.follow(line(3, false, frameMiddle(frame, rate), 23_000));
			await run(1500);
			for (const { shown, follower } of all) {
				expect(shown.at(-1)).toBe(frame);
				follower.close();
			}
		}),
		{ seed: 4, numRuns: 20, endOnFailure: true },
	);
}, 60_000);

it("starts get closer to each other as an element learns what they take", async () => {
	await fc.assert(
		fc.asyncProperty(machine, async (m) => {
			const { media, follower, behind } = follow({ ...m, varies: 0 });
			let at = 0;
			for (let seq = 1; seq < 8; seq += 2) {
				follower.follow(line(seq, false, 2_016_666, at));
				await run(1000);
				follower.follow(line(seq + 1, true, 2_016_666, at + 1500));
				at += 2000;
				await run(500 + 60);
				if (seq >= 5) expect(Math.abs(behind())).toBeLessThan(25);
				await run(440);
			}
			expect(media.paused).toBe(false);
			follower.close();
		}),
		{ seed: 4, numRuns: 20, endOnFailure: true },
	);
}, 60_000);

it("whoever hears late of a start, by however much, is in step soon and is told so", async () => {
	await fc.assert(
		fc.asyncProperty(machine, fc.integer({ min: -70, max: 900 }), async (m, late) => {
			const { media, follower, behind } = follow(m);
			follower.follow(line(1, false, 2_016_666, 0));
			await run(1000);
			follower.follow(line(2, true, 2_016_666, 1000 - late));
			await run(3000);
			expect(Math.abs(behind())).toBeLessThan(15);
			expect(media.playbackRate).toBeCloseTo(1, 1);
			expect(follower.status.state).toBe("playing");
			follower.close();
		}),
		{ seed: 4, numRuns: 60, endOnFailure: true },
	);
}, 60_000);

it("who comes late, or has stalled, gets in step alone", async () => {
	await fc.assert(
		fc.asyncProperty(machine, fc.integer({ min: 300, max: 9000 }), async (m, stall) => {
			const { media, follower, behind } = follow(m);
			follower.follow(line(1, true, 0, -30_000));
			await run(2000);
			expect(Math.abs(behind())).toBeLessThan(40);
			media.starve(true);
			await run(stall);
			media.starve(false);
			await run(3200);
			expect(Math.abs(behind())).toBeLessThan(60);
			await run(2000);
			expect(Math.abs(behind())).toBeLessThan(15);
			follower.close();
		}),
		{ seed: 4, numRuns: 20, endOnFailure: true },
	);
}, 60_000);
