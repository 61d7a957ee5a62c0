import { describe, expect, it } from "vitest";
import { forget, nextToFetch, placeOf, type Slot, toDrop, toLeave, wanted } from "./window.ts";

const slot = (start: number, end: number, state: Slot["state"] = "none"): Slot => ({
	id: `${start}`,
	start,
	end,
	state,
	tries: 0,
});
const minutes = () => [slot(0, 60_000), slot(60_000, 120_000), slot(120_000, 180_000), slot(180_000, 240_000)];

describe("what is fetched", () => {
	it.each([
		[0, "0"],
		[15_000, "0"],
		[65_000, "60000"],
		[119_000, "60000"],
		[500_000, undefined],
	])("at %d ms first the segment of the moment", (t, id) => {
		expect(nextToFetch(minutes(), t)?.id).toBe(id);
	});

	it("then what comes within forty seconds, then what was just before, then nothing", () => {
		const slots = minutes();
		const order: string[] = [];
		for (let s = nextToFetch(slots, 125_000); s; s = nextToFetch(slots, 125_000)) {
			order.push(s.id);
			s.state = "done";
		}
		expect(order).toEqual(["120000", "60000"]);
		expect(nextToFetch(slots, 145_000)?.id).toBe("180000");
	});

	it("passes over what failed and what is under way", () => {
		expect(nextToFetch([slot(0, 9000, "failed"), slot(9000, 20_000, "loading"), slot(20_000, 30_000)], 0)?.id).toBe(
			"20000",
		);
	});

	it("does not go on with what a seek has left behind", () => {
		expect(wanted(slot(0, 60_000), 65_000)).toBe(true);
		expect(wanted(slot(0, 60_000), 71_000)).toBe(false);
		expect(wanted(slot(120_000, 180_000), 80_000)).toBe(false);
	});
});

describe("what is being fetched", () => {
	const ahead = () => [slot(0, 10_000, "done"), slot(10_000, 20_000, "loading"), slot(20_000, 30_000)];

	it("is left when the moment has gone far, or waits itself", () => {
		const slots = ahead();
		expect(toLeave(slots[1]!, slots, 31_000)).toBe(true); // it ended long ago
		expect(toLeave(slots[1]!, slots, 25_000)).toBe(true); // it would be fetched before what is to be shown
	});

	it("is not left while it is the moment's, or what the moment needs is there", () => {
		const slots = ahead();
		expect(toLeave(slots[1]!, slots, 5000)).toBe(false);
		expect(toLeave(slots[1]!, slots, 15_000)).toBe(false);
		slots[2]!.state = "done";
		expect(toLeave(slots[1]!, slots, 25_000)).toBe(false);
	});
});

describe("what is dropped", () => {
	it("lies more than ninety seconds behind or two minutes ahead", () => {
		expect(toDrop([{ from: 0, to: 200_000 }], 100_000)).toEqual([{ from: 0, to: 10_000 }]);
		expect(toDrop([{ from: 300_000, to: 400_000 }], 0)).toEqual([{ from: 300_000, to: 400_000 }]);
		expect(toDrop([{ from: 30_000, to: 90_000 }], 100_000)).toEqual([]);
	});

	it("is fetched again when it is wanted again", () => {
		const slots = [slot(0, 60_000, "done"), slot(60_000, 120_000, "done"), slot(200_000, 210_000, "failed")];
		forget(slots, { from: 0, to: 60_000 });
		expect(slots.map((s) => s.state)).toEqual(["none", "done", "failed"]);
	});
});

describe("where a track is", () => {
	const buffered = [
		{ from: 1000, to: 5000 },
		{ from: 9000, to: 12_000 },
	];
	const slots = [slot(1000, 12_000, "done"), slot(20_000, 30_000)];
	it.each([
		[1000, { at: "media", stretch: { from: 1000, to: 5000 } }],
		[950, { at: "media", stretch: { from: 1000, to: 5000 } }],
		[500, { at: "gap", since: Number.NEGATIVE_INFINITY, next: 1000 }],
		[6000, { at: "gap", since: 5000, next: 9000 }], // in a file that has arrived: nothing was sent then
		[15_000, { at: "gap", since: 12_000, next: 20_000 }],
		[21_000, { at: "waiting" }],
		[31_000, { at: "gap", since: 12_000, next: null }],
	])("at %d ms", (t, place) => {
		expect(placeOf(buffered, slots, t)).toEqual(place);
	});
});
