import { describe, expect, it } from "vitest";
import { longer, MOST, pathOf, pictureIn, placeIn } from "./strokes.ts";

describe("where a picture is in its box", () => {
	it.each([
		["as wide as the box", { width: 1280, height: 720 }, { left: 10, top: 20, width: 320, height: 180 }],
		[
			"upright, with bars beside it",
			{ width: 720, height: 1280 },
			{ left: 119.375, top: 20, width: 101.25, height: 180 },
		],
		["wider, with bars above and below", { width: 2, height: 1 }, { left: 10, top: 30, width: 320, height: 160 }],
	])("%s", (_, size, picture) => {
		expect(pictureIn({ left: 10, top: 20, width: 320, height: 180 }, size)).toEqual(picture);
	});

	it("places are parts of the picture, and those beside it lie at its edge", () => {
		const picture = pictureIn({ left: 10, top: 20, width: 320, height: 180 }, { width: 720, height: 1280 });
		expect(placeIn(picture, 119.375 + 101.25 / 4, 110)).toEqual([0.25, 0.5]);
		expect(placeIn(picture, 12, 500)).toEqual([0, 1]);
		expect(placeIn(picture, 170, 20.001)).toEqual([0.5, 0]);
	});
});

describe("a stroke", () => {
	it("leaves out what is too close, and never has more points than the room takes", () => {
		expect(longer([0.5, 0.5], [0.5001, 0.5])).toEqual([0.5, 0.5]);
		let points: number[] = [];
		for (let i = 0; i <= 5000; i++) {
			points = longer(points, [(i % 100) / 100, i / 5000]);
			expect(points.length).toBeLessThanOrEqual(2 * MOST);
		}
		expect(points.slice(0, 2)).toEqual([0, 0]);
		expect(points.slice(-2)).toEqual([0, 1]);
	});

	it("is drawn through its points, a single one as a dot", () => {
		const size = { width: 100, height: 50 };
		expect(pathOf([0.5, 0.5], size)).toBe("M50.0 25.0L50.0 25.0");
		expect(pathOf([0, 0, 1, 1], size)).toBe("M0.0 0.0L100.0 50.0");
		expect(pathOf([0, 0, 0.5, 0, 1, 1], size)).toBe("M0.0 0.0Q50.0 0.0 75.0 25.0L100.0 50.0");
	});
});
