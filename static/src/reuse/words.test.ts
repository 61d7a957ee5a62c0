import { describe, expect, it } from "vitest";
import type { Reuse } from "../api.ts";
import { standing, underWay } from "./words.ts";

const reuse: Reuse = {
	state: "none",
	clip: "",
	by: "Amara",
	mine: true,
	may: true,
	asked: true,
	agreed: true,
	waiting: [],
	progress: 0,
	problem: "",
};

describe("a clip that a recording may become", () => {
	it("says who has not answered", () => {
		expect(standing({ ...reuse, state: "asked", waiting: ["Ben"] })).toContain("Ben has not answered");
		expect(standing({ ...reuse, state: "asked", waiting: ["Ben", "Cyd"] })).toContain("have not answered");
		expect(standing({ ...reuse, state: "asked", mine: false })).toContain("Amara has asked");
	});

	it("says how far it is, and what to do", () => {
		expect(standing(reuse)).toBe("");
		expect(standing({ ...reuse, state: "filming", progress: 0 })).not.toContain("%");
		expect(standing({ ...reuse, state: "preparing", progress: 0.417 })).toContain("42 %");
		expect(standing({ ...reuse, state: "failed", problem: "Try again." })).toBe("Try again.");
		expect(standing({ ...reuse, state: "declined" })).not.toContain("Amara");
	});

	it("is looked at again while something happens", () => {
		expect(underWay(undefined)).toBe(false);
		expect(underWay({ ...reuse, state: "preparing" })).toBe(true);
		expect(underWay({ ...reuse, state: "asked", mine: false })).toBe(false);
		expect(underWay({ ...reuse, state: "ready" })).toBe(false);
	});
});
