import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { playing, rate, run, setUp, still } from "./following.ts";
import { frameMiddle } from "./line.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("a moving line, heard of or met late,", () => {
	it("that is heard of late is made up for at once, by as much as it is known to be late", async () => {
		const t = setUp({ startTakes: 75 });
		t.follower.follow(still(1, 2_000_000));
		await run(500);
		t.follower.follow(playing(2, 2_000_000, 400));
		expect(t.media.playbackRate).toBeCloseTo(1.4, 5);
		await run(75 + 175 / 0.4 - 75 + 30);
		expect(t.media.playbackRate).toBe(1);
		await run(75); // until that takes effect
		expect(Math.abs(t.error())).toBeLessThan(12);
		expect(t.media.log.filter((l) => l.startsWith("seek"))).toHaveLength(1);
	});

	it("that is not as late as it seemed is gone on with in step", async () => {
		// It starts quicker than expected, and plays faster for a while after it was told not to: so it comes to be ahead.
		const t = setUp({ startTakes: 5, rateTakes: 87 });
		t.follower.follow(still(1, 2_000_000));
		await run(500);
		for (const late of [60, 100, 140, 180]) {
			t.follower.follow(playing(late, 2_000_000, t.now() - late));
			await run(1200);
			expect(Math.abs(t.error()), `${late} ms late`).toBeLessThan(12);
			expect(t.media.playbackRate).toBe(1);
			expect(t.follower.status.error, "was looked at").not.toBe(0);
			t.follower.follow(still(late + 1, 2_000_000, t.now()));
			await run(500);
		}
	});

	it("that is heard of late is not overshot by a change of speed that takes a while", async () => {
		for (const late of [40, 70, 100, 150]) {
			const t = setUp({ startTakes: 75, rateTakes: 75 });
			t.follower.follow(still(1, 2_000_000));
			await run(500);
			t.follower.follow(playing(2, 2_000_000, 500 - late));
			let ahead = 0;
			for (let i = 0; i < 80; i++) {
				await run(10);
				ahead = Math.max(ahead, -t.error());
			}
			expect(ahead, `${late} ms late`).toBeLessThan(15);
			t.follower.close();
		}
	});

	it("is caught up with, and that is told, also by who meets it late and comes to be ahead", async () => {
		const t = setUp({ startTakes: 5, rateTakes: 87, seekTakes: 400 });
		await run(10_000);
		t.follower.follow(playing(1, 0, 0));
		await run(1500);
		expect(t.states).toContain("catching-up");
		expect(t.states.at(-1)).toBe("playing");
		expect(Math.abs(t.error())).toBeLessThan(12);
	});

	it("teaches how long a start takes, however late it was heard of", async () => {
		const t = setUp({ startTakes: 140 });
		for (let seq = 1; seq < 7; seq += 2) {
			t.follower.follow(still(seq, 2_000_000, t.now()));
			await run(700);
			t.follower.follow(playing(seq + 1, 2_000_000, t.now() - 40));
			await run(1500);
		}
		t.follower.follow(still(7, 2_000_000, t.now()));
		await run(700);
		t.follower.follow(playing(8, 2_000_000, t.now() + 400));
		await run(400 + 60);
		expect(Math.abs(t.error())).toBeLessThan(15);
	});

	it("is caught up with at its own speed by who runs out of data while the speed is changed", async () => {
		const t = setUp({ startTakes: 45 });
		t.follower.follow(still(1, 2_000_000));
		await run(500);
		t.follower.follow(playing(2, 2_000_000, 350));
		await run(150);
		expect(t.media.playbackRate).toBeCloseTo(1.4, 1);
		t.media.starve(true);
		await run(50);
		expect(t.media.playbackRate).toBe(1);
	});

	it("that is followed by another and by a third, before the second begins, is played on until then", async () => {
		const t = setUp();
		t.follower.follow(playing(1, 0, 0));
		await run(3000);
		t.follower.follow(playing(2, 3_300_000, 3300, { rate: 1.5 }));
		await run(50);
		t.follower.follow(still(3, frameMiddle(100, rate), 3350));
		expect(t.media.paused).toBe(false);
		await run(200);
		expect(t.media.paused).toBe(false);
		expect(Math.abs(t.error())).toBeLessThan(12);
		await run(400);
		expect(t.shown).toEqual([[3, 100]]);
		expect(t.media.log.filter((l) => l.startsWith("seek"))).toHaveLength(1);
	});

	it("is met soon by who had to fetch its place first", async () => {
		const t = setUp({ seekTakes: 80, fetchTakes: 700, startTakes: 75 });
		t.media.arrived = 2;
		await run(30_000);
		t.follower.follow(playing(7, 0, 0));
		let stood = 0; // after its first place had come
		let sought = false;
		for (let i = 0; i < 300; i++) {
			await run(10);
			sought ||= !t.media.seeking;
			if (sought && t.media.paused) stood += 10;
		}
		expect(Math.abs(t.error())).toBeLessThan(12);
		expect(stood).toBeLessThan(350);
	});
});
