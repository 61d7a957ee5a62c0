import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { playing, rate, run, setUp, still } from "./following.ts";
import { frameMiddle } from "./line.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("a stop", () => {
	const stop = frameMiddle(100, rate);

	it("is reached by itself, on its frame, also in a hidden tab", async () => {
		for (const hidden of [false, true]) {
			const t = setUp({ hidden, startTakes: 60 });
			t.follower.follow(playing(1, 2_000_000, 500, { stop }));
			await run(8000);
			expect(t.media.paused).toBe(true);
			expect(t.media.currentTime * 1e6).toBeCloseTo(stop, 0);
			expect(t.shown).toEqual([]); // the room has not spoken yet
			t.follower.follow(still(2, stop, 1834));
			expect(t.shown).toEqual([[2, 100]]);
			t.follower.close();
		}
	});

	it("is not overrun by an element that is ahead", async () => {
		const t = setUp({ startTakes: 0, skew: 1.01 });
		const max = vi.fn();
		t.follower.follow(playing(1, 0, 0, { stop }));
		for (let i = 0; i < 400; i++) {
			await run(10);
			max(Math.floor(t.media.currentTime * 30));
		}
		expect(Math.max(...max.mock.calls.map((c) => c[0]))).toBe(100);
	});

	it("is told so much earlier as stopping took before, so that nobody is seen to step back", async () => {
		const t = setUp({ stopTakes: 45 });
		const past: number[] = []; // ms beyond the place of the stop
		for (let seq = 1; seq < 9; seq += 2) {
			const from = t.now() + 300;
			t.follower.follow(playing(seq, stop - 2_000_000, from));
			await run(1500);
			t.follower.follow(still(seq + 1, stop, from + 2000));
			await run(2000);
			const stood = t.media.log.findLast((l) => l.startsWith("stands"))!;
			past.push(Number(stood.split(" ")[1]) * 1000 - stop / 1000);
		}
		expect(past[0]).toBeGreaterThan(25);
		for (const ms of past.slice(1)) expect(Math.abs(ms), "within the frame").toBeLessThan(1000 / 60);
	});

	it("teaches nothing that was heard of late, or goes back a few frames", async () => {
		const t = setUp({ startTakes: 20 });
		let past = 0;
		for (let i = 0; i < 5; i++) {
			t.follower.follow(playing(3 * i, 2_000_000, t.now()));
			await run(1500);
			// Told 200 ms after it was to be; and then a step back, while it plays.
			t.follower.follow(
				still(
					3 * i + 1,
					i % 2 ? t.media.currentTime * 1e6 - 200_000 : t.media.currentTime * 1e6 - 66_000,
					t.now() - 200,
				),
			);
			await run(500);
		}
		t.follower.follow(playing(50, 2_000_000, t.now() + 300));
		await run(1800);
		t.follower.follow(still(51, 4_000_000, t.now() + 500));
		await run(1000);
		const stood = t.media.log.findLast((l) => l.startsWith("stands"))!;
		past = Number(stood.split(" ")[1]) * 1000 - 4000;
		expect(Math.abs(past), "ms off the place of the stop").toBeLessThan(17);
	});

	it("of a line that begins in a moment is played to", async () => {
		const t = setUp({ startTakes: 20 });
		t.follower.follow(playing(1, 0, 0));
		await run(3000);
		const frame = Math.floor(((t.now() + 200) / 1000) * 30);
		t.follower.follow(still(2, frameMiddle(frame, rate), t.now() + 200));
		await run(100);
		expect(t.media.paused).toBe(false);
		await run(400);
		expect(t.media.paused).toBe(true);
		expect(t.shown).toEqual([[2, frame]]);
	});

	it("that is new on the same line is heeded", async () => {
		const t = setUp();
		t.follower.follow(playing(1, 0, 0));
		await run(2000);
		t.follower.follow(playing(1, 0, 0, { stop }));
		await run(3000);
		expect(t.media.currentTime * 1e6).toBeCloseTo(stop, 0);
	});

	it("that is taken away lets it go on", async () => {
		const t = setUp();
		t.follower.follow(playing(1, 0, 0, { stop }));
		await run(4000);
		expect(t.media.paused).toBe(true);
		t.follower.follow(playing(1, 0, 0));
		await run(4000);
		expect(Math.abs(t.error())).toBeLessThan(12);
	});
});
