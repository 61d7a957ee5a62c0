import { describe, expect, it } from "vitest";
import type { Clip, PlannedPause } from "../api.ts";
import { agendaOf, isoOf, lengthOf, lengthOptions, localOf } from "./agenda.ts";

const clip = { from: 60e6, to: 660e6, duration: 700e6, frames: 17500, fpsNum: 25, fpsDen: 1 } as Clip;
const pause = (frame: number, think: number, talk: number): PlannedPause => ({
	id: String(frame),
	frame,
	prompt: "?",
	think,
	talk,
});

describe("the agenda", () => {
	it("is in the order of frames, each after the talk of those before", () => {
		const items = agendaOf([pause(6000, 60_000, 0), pause(3000, 30_000, 240_000)], clip);
		expect(items.map((i) => i.pause.frame)).toEqual([3000, 6000]);
		expect(items[0]!.begins).toBe(60_020);
		expect(items[1]!.begins).toBe(180_020 + 270_000);
		expect(items[0]!.detail).toBe("at 2:00.0 · think 30 s, talk 4 min");
		expect(items[1]!.detail).toBe("at 4:00.0 · think 1 min, talk freely");
	});
	it("takes the range once, and the pauses", () => {
		expect(lengthOf([], clip)).toBe(600_000);
		expect(lengthOf([pause(3000, 60_000, 0)], clip)).toBe(600_000 + 60_000 + 360_000);
	});
	it("offers a length that was set elsewhere", () => {
		expect(lengthOptions([0, 30_000], 90_000, "No").map((o) => o.label)).toContain("2 min");
		expect(lengthOptions([0, 30_000], 30_000, "No")).toHaveLength(2);
	});
});

describe("dates in fields", () => {
	it("go there and back", () => {
		const iso = "2026-05-14T09:00:00.000Z";
		expect(isoOf(localOf(iso))).toBe(iso);
		expect(localOf(null)).toBe("");
		expect(localOf("soon")).toBe("");
		expect(isoOf("")).toBeNull();
	});
});
