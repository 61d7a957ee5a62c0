import { describe, expect, it } from "vitest";
import { tilesFor } from "./tiles.ts";

describe("faces that fill a box", () => {
	const desk = [1400, 380] as const;

	it("stand side by side, or in rows, whatever makes them largest", () => {
		expect(tilesFor(4, ...desk, 12).columns).toBe(4);
		expect(tilesFor(4, 800, 800, 12).columns).toBe(2);
		expect(tilesFor(12, ...desk, 12).columns).toBe(6);
		expect(tilesFor(12, 400, 800, 12).columns).toBe(2);
	});

	it("are never strips: a lone face is as wide as its camera's picture", () => {
		expect(tilesFor(1, ...desk, 12)).toEqual({ columns: 1, width: 675, height: 380 });
		expect(tilesFor(1, 700, 1400, 12)).toEqual({ columns: 1, width: 700, height: 777 });
		for (let n = 1; n <= 12; n++) {
			for (const [w, h] of [desk, [800, 800], [1888, 520], [430, 900], [700, 210]] as const) {
				const t = tilesFor(n, w, h, 12);
				expect(t.width / t.height).toBeLessThan(1.8);
				expect(t.width / t.height).toBeGreaterThan(0.88);
				const rows = Math.ceil(n / t.columns);
				expect(t.columns * t.width + (t.columns - 1) * 12).toBeLessThanOrEqual(w);
				expect(rows * t.height + (rows - 1) * 12).toBeLessThanOrEqual(h);
			}
		}
	});

	it("have no size in a box that has none", () => {
		expect(tilesFor(3, 0, 0, 12)).toEqual({ columns: 1, width: 0, height: 0 });
		expect(tilesFor(0, 100, 100, 12)).toEqual({ columns: 1, width: 0, height: 0 });
	});
});
