import { describe, expect, it } from "vitest";
import type { Clip } from "../event.gen.ts";
import { boundedAt, frameAt, frameMiddle } from "./line.ts";
import { ownLine, ownPlayOrStop, ownPlays, ownSeek, ownStep } from "./own.ts";

// 25 frames a second, of which frames 250 to 499 were chosen.
const clip = {
	duration: 60_000_000,
	frames: 1500,
	fpsNum: 25,
	fpsDen: 1,
	from: 10_000_000,
	to: 20_000_000,
} as Clip;
const middle = (n: number) => frameMiddle(n, clip);

describe("looking around alone", () => {
	it("begins on the frame that was seen, standing", () => {
		expect(ownLine(12_345_000, 700, clip)).toEqual({
			seq: 0,
			moving: false,
			position: middle(308),
			at: 700,
			rate: 1,
			stop: null,
		});
	});

	it("plays from there to the end of the range, and stops on a frame", () => {
		const played = ownPlayOrStop(ownLine(12_000_000, 0, clip), 1000, clip);
		expect(played).toMatchObject({ seq: 1, moving: true, position: middle(300), stop: middle(499) });
		expect(played.at).toBeGreaterThan(1000);
		const stopped = ownPlayOrStop(played, played.at + 1000, clip);
		expect(stopped).toMatchObject({ seq: 2, moving: false, position: middle(325) });
		expect(ownPlays(played, played.at + 1000)).toBe(true);
		expect(ownPlays(played, 99_000)).toBe(false);
		expect(ownPlays(stopped, 99_000)).toBe(false);
	});

	it("begins anew where it has come to the end", () => {
		const played = ownPlayOrStop(ownLine(19_000_000, 0, clip), 0, clip);
		const again = ownPlayOrStop(played, 60_000, clip);
		expect(again).toMatchObject({ moving: true, position: middle(250) });
	});

	it("goes elsewhere within the range, and plays on if it played", () => {
		const line = ownLine(12_000_000, 0, clip);
		expect(ownSeek(line, 99_000_000, 10, clip)).toMatchObject({ seq: 1, moving: false, position: middle(499) });
		const on = ownSeek(ownPlayOrStop(line, 0, clip), 15_000_000, 500, clip);
		expect(on).toMatchObject({ seq: 2, moving: true, position: middle(375) });
	});

	it("steps by frames from where it plays, and stands there", () => {
		const played = ownPlayOrStop(ownLine(12_000_000, 0, clip), 0, clip);
		const stepped = ownStep(played, -1, played.at + 400, clip);
		expect(frameAt(boundedAt(stepped, 0), clip)).toBe(309);
		expect(stepped.moving).toBe(false);
		expect(ownStep(stepped, -100, 0, clip).position).toBe(middle(250));
	});
});
