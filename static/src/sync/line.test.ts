import { describe, expect, it } from "vitest";
import type { Clip, Pause } from "../event.gen.ts";
import { boundedAt, frameAt, frameMiddle, frameStart, framesOf, lineOf, nextStop, snap, timeOf } from "./line.ts";

const ntsc = { fpsNum: 30000, fpsDen: 1001 };

function clip(change: Partial<Clip> = {}): Clip {
	return {
		id: "c",
		title: "",
		focus: "",
		context: "",
		duration: 20_000_000,
		frames: 600,
		fpsNum: 30,
		fpsDen: 1,
		from: 0,
		to: 20_000_000,
		width: 1280,
		height: 720,
		...change,
	};
}

function pause(frame: number, change: Partial<Pause> = {}): Pause {
	return { id: `p${frame}`, frame, prompt: "", think: 0, talk: 0, by: "", passed: false, ...change };
}

describe("frames", () => {
	it("the middle and the start of every frame belong to it", () => {
		for (const r of [
			ntsc,
			{ fpsNum: 25, fpsDen: 1 },
			{ fpsNum: 60000, fpsDen: 1001 },
			{ fpsNum: 24000, fpsDen: 1001 },
		]) {
			for (const n of [0, 1, 2, 299, 17_982, 107_999, 1_234_567]) {
				expect(frameAt(frameMiddle(n, r), r)).toBe(n);
				expect(frameAt(frameStart(n, r), r)).toBe(n);
				if (n > 0) expect(frameAt(frameStart(n, r) - 1, r)).toBe(n - 1);
			}
		}
	});

	it("agrees with the server's whole-number arithmetic", () => {
		const num = 30000n;
		const den = 1001n;
		for (const n of [0n, 7n, 89_910n, 323_676n]) {
			expect(frameMiddle(Number(n), ntsc)).toBe(Number(((2n * n + 1n) * den * 1_000_000n) / (2n * num)));
		}
		for (const us of [0n, 33_366n, 33_367n, 9_999_999_999n]) {
			expect(frameAt(Number(us), ntsc)).toBe(Number((us * num) / (den * 1_000_000n)));
		}
	});

	it("keeps to frames whose middles are in the range", () => {
		expect(framesOf(clip({ from: 1_020_000, to: 2_010_000 }))).toEqual({ first: 31, last: 59 });
		expect(framesOf(clip({ to: 99_000_000 }))).toEqual({ first: 0, last: 599 });
		expect(snap(0, clip({ from: 1_000_000 }))).toBe(frameMiddle(30, clip()));
		expect(snap(5_001_000, clip())).toBe(frameMiddle(150, clip()));
	});
});

describe("nextStop", () => {
	it("is the next pause beyond the frame that is shown, passed or not", () => {
		const pauses = [pause(90, { passed: true }), pause(150, { proposed: true }), pause(240)];
		expect(nextStop(0, pauses, clip()).frame).toBe(90);
		expect(nextStop(frameMiddle(90, clip()), pauses, clip()).frame).toBe(240);
		expect(nextStop(frameMiddle(240, clip()), pauses, clip())).toMatchObject({ frame: 599, pause: null });
	});

	it("leaves out pauses beyond the range", () => {
		expect(nextStop(0, [pause(300)], clip({ to: 5_000_000 }))).toMatchObject({ frame: 149, pause: null });
	});
});

describe("lineOf", () => {
	const playback = { mode: "playing", position: 1_000_000, rate: 2, at: 5000, seq: 3, ready: [], by: "" } as const;

	it("moves from its beginning on and not beyond its stop", () => {
		const line = lineOf({ ...playback, ready: [] }, [pause(90)], clip());
		expect(boundedAt(line, 4000)).toBe(1_000_000);
		expect(boundedAt(line, 5500)).toBe(2_000_000);
		expect(boundedAt(line, 9000)).toBe(frameMiddle(90, clip()));
		expect(boundedAt(line, timeOf(line, 2_500_000))).toBe(2_500_000);
	});

	it("waits at once, whatever the deadline", () => {
		expect(lineOf({ ...playback, mode: "waiting", ready: [] }, [], clip())).toMatchObject({
			moving: false,
			at: 0,
			stop: null,
		});
	});
});
