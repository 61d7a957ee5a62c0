import { describe, expect, it } from "vitest";
import type { ReplaySegment } from "../api.ts";
import type { Piece } from "./history.ts";
import { clockTimes, curve, ribbons } from "./joint.ts";
import { playsAll, tracksOf } from "./media.ts";
import { keyStep } from "./Slider.tsx";
import { goingOn, offRecord, whoCanSee } from "./say.ts";

const segment = (member: string, source: ReplaySegment["source"], start: number): ReplaySegment => ({
	id: `${member}${start}`,
	member,
	source,
	mime: source === "audio" ? 'audio/webm; codecs="opus"' : 'video/webm; codecs="vp8"',
	start,
	end: start + 1000,
	bytes: 1,
});

describe("tracks", () => {
	it("are one for each member and source, each in the order of time", () => {
		const tracks = tracksOf([segment("a", "audio", 9000), segment("b", "camera", 2000), segment("a", "audio", 100)]);
		expect(tracks.map((t) => [t.key, t.segments.map((s) => s.start)])).toEqual([
			["a/audio", [100, 9000]],
			["b/camera", [2000]],
		]);
	});

	it("do not play where the browser has no media source", () => {
		expect(playsAll([segment("a", "audio", 0)])).toBe(false);
	});
});

describe("the joint", () => {
	const piece = (p: Partial<Piece>): Piece => ({ from: 0, to: 0, a: 0, b: 0, rate: 0, hold: "", ...p });
	const pieces = [
		piece({ from: 0, to: 1000 }),
		piece({ from: 1000, to: 3000, a: 0, b: 2_000_000, rate: 1 }),
		piece({ from: 3000, to: 9000, a: 2_000_000, b: 2_000_000, hold: "h" }),
		piece({ from: 9000, to: 9500, a: 2_000_000, b: 2_000_000 }),
		piece({ from: 9500, to: 10_000, a: 2_000_000, b: 2_500_000, rate: 1 }),
	];

	it("has a ribbon where the clip ran and a funnel to one frame where it stood", () => {
		const all = ribbons(pieces, { from: 0, to: 10_000 }, { from: 0, to: 4_000_000 });
		expect(all.map((r) => r.kind)).toEqual(["run", "pause", "run"]);
		expect(all[1]?.d).toMatch(/^M300\.0 0C.* 500\.0 100L500\.0 100C.* 900\.0 0Z$/);
		expect(curve(0.25, 0.5)).toBe("M250.0 0C250.0 62 500.0 38 500.0 100");
	});

	it("has round times of the clock above", () => {
		const opened = Date.UTC(2026, 4, 14, 9, 2, 0);
		expect(clockTimes(opened, 2_550_000, 1200).map((t) => (opened + t) % 300_000)).toEqual(Array(8).fill(0));
		expect(clockTimes(opened, 2_550_000, 0)).toEqual([]);
	});
});

it("says who can see it, and what is not on the record", () => {
	expect([1, 2, 4, 13].map(whoCanSee)).toEqual(["Only you", "The two of you", "The four of you", "The 13 of you"]);
	const opened = new Date(2026, 4, 14, 10, 2).getTime();
	const say = (from: number, to: number) => offRecord({ from: from * 60_000, to: to * 60_000 }, opened, 40 * 60_000);
	expect(say(0, 40)).toMatch(/was not recorded/);
	expect(say(29, 33)).toMatch(/^Not recorded from 10:31.* to 10:35/);
	expect(say(0, 1)).toMatch(/^Not recorded until 10:03/);
	expect(say(30, 40)).toMatch(/^Not recorded after 10:32/);
	expect(say(30, 30.5)).toMatch(/for a moment at 10:32/);
});

it("says how much of a session that goes on is there", () => {
	const opened = new Date(2026, 4, 14, 10, 2).getTime();
	const min = 60_000;
	const say = (until: number, heardTo: number | null, state: "on" | "off" = "on") =>
		goingOn(opened, until * min, heardTo === null ? [] : [{ from: 0, to: heardTo * min }], state);
	expect(say(20, 18)).toMatch(/until 10:22.*up to 10:20.*Load/);
	expect(say(1, null)).toMatch(/follow within about a minute/);
	for (const all of [say(20, 20), say(20, 5, "off")]) expect(all).not.toMatch(/Pictures/);
});

it("moves by keys", () => {
	const key = (name: string, shiftKey = false, ctrlKey = false) =>
		keyStep({ key: name, shiftKey, ctrlKey, metaKey: false, altKey: false });
	expect([key("ArrowLeft"), key("ArrowRight", true), key("PageUp")]).toEqual([-1, 10, 30]);
	expect([key("Home"), key("End")]).toEqual([Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]);
	expect([key("x"), key("ArrowLeft", false, true)]).toEqual([null, null]);
});
