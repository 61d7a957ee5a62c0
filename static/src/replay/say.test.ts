import { expect, it } from "vitest";
import type { Chapter } from "./history.ts";
import { phaseAt, phasesOf } from "./say.ts";

const pause = (talkFrom: number | null): Chapter => ({
	id: "p",
	number: 1,
	prompt: "",
	by: "Ana",
	frame: 0,
	position: 0,
	from: 1000,
	to: 9000,
	talkFrom,
	revealedAt: null,
	answers: [],
});

it("parts a pause where thinking ended and talking began", () => {
	expect(phasesOf(pause(4000))).toEqual([
		{ from: 1000, to: 4000, word: "thinking alone" },
		{ from: 4000, to: 9000, word: "talking" },
	]);
	expect(phasesOf(pause(null)).map((p) => p.word)).toEqual(["thinking alone"]);
	expect(phasesOf(pause(1000)).map((p) => p.word)).toEqual(["talking"]);
	expect(phasesOf(pause(20_000)).map((p) => p.to)).toEqual([9000]);
	expect([1000, 3999, 4000, 8999].map((t) => phaseAt(pause(4000), t))).toEqual([
		"thinking alone",
		"thinking alone",
		"talking",
		"talking",
	]);
});
