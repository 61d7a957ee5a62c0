import { describe, expect, it } from "vitest";
import { sameView } from "./views.ts";

describe("sameView", () => {
	const face = { width: 320, height: 240 };
	it("is the same for sizes that get the same layer", () => {
		expect(sameView({ a: face }, { a: { width: 330, height: 250 } })).toBe(true);
	});
	it("differs when a picture grows, comes or goes", () => {
		expect(sameView({ a: face }, { a: { width: 640, height: 480 } })).toBe(false);
		expect(sameView({ a: face }, { a: face, b: face })).toBe(false);
		expect(sameView({ a: face }, { b: face })).toBe(false);
		expect(sameView({ a: face }, {})).toBe(false);
	});
});
