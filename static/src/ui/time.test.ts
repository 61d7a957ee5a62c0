import { describe, expect, it } from "vitest";
import { hueOf, initialsOf } from "./Avatar.tsx";
import { count, fmtBytes, fmtClip, fmtDay, fmtFromNow, fmtLength, names, sayClip } from "./time.ts";

describe("fmtClip", () => {
	it.each([
		[0, false, "0:00"],
		[724_500_000, false, "12:04"],
		[724_500_000, true, "12:04.5"],
		[3_723_000_000, false, "1:02:03"],
		[59_999_999, false, "0:59"],
		[59_999_999, true, "0:59.9"],
		[-5, true, "0:00.0"],
		[Number.NaN, false, "0:00"],
	])("%d µs, tenths %s: %s", (us, tenths, want) => {
		expect(fmtClip(us, tenths)).toBe(want);
	});
});

describe("words for times", () => {
	it("says clip times", () => {
		expect(sayClip(724_500_000)).toBe("12 minutes 4.5 seconds");
		expect(sayClip(61_000_000, false)).toBe("1 minute 1 second");
		expect(sayClip(0)).toBe("0 seconds");
	});
	it("says lengths", () => {
		expect(fmtLength(30_000)).toBe("30 s");
		expect(fmtLength(360_000)).toBe("6 min");
		expect(fmtLength(3_900_000)).toBe("1 h 5 min");
		expect(fmtLength(7_200_000)).toBe("2 h");
	});
	it("says days in the reader's zone", () => {
		const now = new Date(2026, 4, 14, 9, 40);
		expect(fmtDay(new Date(2026, 4, 14, 23, 59), now)).toBe("Today");
		expect(fmtDay(new Date(2026, 4, 15, 0, 1), now)).toBe("Tomorrow");
		expect(fmtDay(new Date(2026, 4, 13, 23, 0), now)).toBe("Yesterday");
		expect(fmtDay(new Date(2026, 3, 30), now)).toMatch(/30|April/);
		expect(fmtDay(new Date(2025, 3, 30), now)).toContain("2025");
	});
	it("says how far off", () => {
		const now = new Date(2026, 4, 14, 9, 40);
		expect(fmtFromNow(new Date(2026, 4, 14, 10, 0), now)).toBe("in 20 minutes");
		expect(fmtFromNow(new Date(2026, 4, 14, 9, 40, 10), now)).toBe("now");
		expect(fmtFromNow(new Date(2026, 4, 14, 7, 40), now)).toBe("2 hours ago");
		expect(fmtFromNow(new Date(2026, 4, 17, 9, 0), now)).toBe("in 3 days");
	});
});

describe("other words", () => {
	it("counts", () => {
		expect(count(1, "note")).toBe("1 note");
		expect(count(0, "note")).toBe("0 notes");
		expect(count(2, "person", "people")).toBe("2 people");
	});
	it("joins names", () => {
		expect(names([])).toBe("");
		expect(names(["Leila", "Tomasz"])).toBe("Leila and Tomasz");
		expect(names(["Leila", "Tomasz", "Mei-Ling"])).toBe("Leila, Tomasz and Mei-Ling");
		expect(names(["A", "B", "C", "D"])).toBe("A, B and 2 others");
	});
	it("says sizes", () => {
		expect(fmtBytes(12)).toBe("12 bytes");
		expect(fmtBytes(1_536_000)).toBe("1.5 MB");
		expect(fmtBytes(999_700)).toBe("1.0 MB");
		expect(fmtBytes(4_294_967_296)).toBe("4.3 GB");
	});
	it("takes initials, of any script", () => {
		expect(initialsOf("Amara Okafor")).toBe("AO");
		expect(initialsOf("  nguyễn thị ánh ")).toBe("NÁ");
		expect(initialsOf("Ελένη")).toBe("Ε");
		expect(initialsOf("")).toBe("");
		expect(hueOf("a")).toBe(hueOf("a"));
	});
});
