import { describe, expect, it } from "vitest";
import type { ReplaySegment } from "../api.ts";
import type { Event, EventBody, Member } from "../event.gen.ts";
import { missingOf, unheardOf } from "./missing.ts";

const make = (list: [number, EventBody][]) => list.map(([at, body], i) => ({ seq: i + 1, at, ...body }) as Event);
const told = (reason = "", missingFrom?: number, missingTo?: number): EventBody => ({
	type: "recording.changed",
	data: { recording: { state: "on", since: 1000, by: "", reason, missingFrom, missingTo } },
});
const off: EventBody = {
	type: "recording.changed",
	data: { recording: { state: "off-the-record", since: 0, by: "", reason: "Somebody here does not agree." } },
};
const gap = "A moment of the recording is missing.";
const full = "The disk is full.";

describe("what was told to be missing", () => {
	it("is a gap from when to when it was, not as long as people read of it", () => {
		const events = make([
			[1000, told()],
			[9000, told(gap, 7000, 8000)],
			[10_000, told(gap, 7000, 9500)], // it grew
			[30_000, told()],
			[40_000, told(gap, 39_000, 39_500)],
		]);
		expect(missingOf(events, 60_000)).toEqual([
			{ from: 7000, to: 9500, reason: gap },
			{ from: 39_000, to: 39_500, reason: gap },
		]);
	});

	it("lasts as long as it was told, and ends with the recording", () => {
		const events = make([
			[1000, told()],
			[5000, told(full, 4900)],
			[8000, told()],
			[20_000, told(full, 19_000)],
			[25_000, off],
			[40_000, told(full, 40_000)],
		]);
		expect(missingOf(events, 60_000)).toEqual([
			{ from: 4900, to: 8000, reason: full },
			{ from: 19_000, to: 25_000, reason: full },
			{ from: 40_000, to: 60_000, reason: full },
		]);
		expect(missingOf(make([[1000, off]]), 60_000)).toEqual([]);
	});
});

describe("voices of which nothing was stored", () => {
	const ana = { id: "ana", presence: "here", consent: "agreed", mic: true } as Member;
	const is = (change: Partial<Member> = {}): EventBody => ({
		type: "member.changed",
		data: { member: { ...ana, ...change } },
	});
	const sound = (start: number, end: number, member = "ana", source: ReplaySegment["source"] = "audio") =>
		({ id: `${member}${start}`, member, source, start, end }) as ReplaySegment;
	const recorded = [
		{ from: 10_000, to: 50_000 },
		{ from: 60_000, to: 100_000 },
	];

	it("are those of who was here with the microphone on, on the record", () => {
		const events = make([
			[5000, is()],
			[30_000, is({ mic: false })],
			[40_000, is()],
			[90_000, is({ presence: "left" })],
		]);
		const segments = [sound(12_000, 20_000), sound(28_500, 30_000), sound(60_500, 90_000), sound(20_000, 30_000, "bo")];
		expect([...unheardOf(events, recorded, segments)]).toEqual([
			[
				"ana",
				[
					{ from: 20_000, to: 28_500 },
					{ from: 40_000, to: 50_000 },
				],
			],
		]);
		expect([...unheardOf(events, recorded, [...segments, sound(20_000, 28_500, "ana", "camera")])].length).toBe(1);
		expect([...unheardOf(events, [], [])]).toEqual([]);
	});

	it("are not those of who did not agree, or took that back", () => {
		expect([...unheardOf(make([[5000, is({ consent: "" })]]), recorded, [])]).toEqual([]);
		const events = make([
			[5000, is()],
			[50_000, { type: "member.withdrew", data: { member: { ...ana, consent: "withdrawn" }, notes: false, when: 1 } }],
			[60_000, is()],
		]);
		expect([...unheardOf(events, recorded, [sound(60_100, 80_000)])]).toEqual([
			["ana", [{ from: 80_000, to: 100_000 }]],
		]);
	});
});
