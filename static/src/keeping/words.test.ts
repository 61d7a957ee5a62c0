import { describe, expect, it } from "vitest";
import type { Keeping, Receipt } from "../api.ts";
import { keepingNote, keepingSentence, keepOptions, onDay, receiptSentence } from "./words.ts";

const now = Date.parse("2026-02-20T09:00:00Z");
const keeping = (over: Partial<Keeping>): Keeping => ({
	days: 0,
	deletes: null,
	held: null,
	reason: "",
	mine: false,
	...over,
});
const receipt = (over: Partial<Receipt>): Receipt => ({
	session: "s",
	opened: "2026-01-20T09:00:00Z",
	duration: 60_000,
	rule: "by-hand",
	days: 0,
	begun: "2026-02-19T12:00:00Z",
	done: "2026-02-19T12:00:01Z",
	files: [],
	clips: [],
	...over,
});

describe("for how long it is kept", () => {
	it("is said with the day", () => {
		const k = keeping({ days: 11, deletes: "2026-03-03T12:00:00Z" });
		expect(keepingSentence(k, now)).toMatch(/^This conversation is deleted on (3 March|March 3), /);
		expect(keepingNote(k, now)).toMatch(/^Kept until (3 March|March 3)$/);
		expect(onDay("2026-02-21T12:00:00Z", now)).toBe("tomorrow");
	});
	it("is said where there is no day", () => {
		expect(keepingSentence(keeping({}), now)).toBe("This conversation is kept until somebody deletes it.");
		expect(keepingNote(keeping({}), now)).toBe("");
		expect(keepingSentence(keeping({ days: 7 }), now)).toContain("for 1 week after it ends");
		expect(keepingSentence(keeping({ days: 1, deletes: "2026-02-20T08:59:00Z" }), now)).toContain("is being deleted");
	});
	it("puts a legal hold before everything", () => {
		const k = keeping({ days: 7, held: "2026-02-20T08:00:00Z" });
		expect(keepingSentence(k, now)).toContain("under a legal hold since today");
		expect(keepingNote(k, now)).toBe("Legal hold");
	});
	it("is chosen from a few, and from what it is", () => {
		expect(keepOptions(0).map((o) => o.label)).toEqual(["1 week", "30 days", "90 days", "1 year", "For ever"]);
		expect(keepOptions(12).map((o) => o.value)).toEqual(["7", "12", "30", "90", "365", "0"]);
	});
});

describe("a receipt", () => {
	it("says why, when and what", () => {
		expect(receiptSentence(receipt({}), now)).toBe("It was deleted yesterday by who planned it. There were no files.");
		const due = receipt({ rule: "time-was-over", days: 30, files: Array(3).fill({}) });
		expect(receiptSentence(due, now)).toBe(
			"It was to be kept for 30 days, and was deleted yesterday. 3 files went for good.",
		);
		expect(receiptSentence({ ...due, clips: [{}] }, now)).toMatch(
			/3 files went for good\. 1 clip of the conversation went with it\.$/,
		);
		expect(receiptSentence(receipt({ done: null }), now)).toContain("Its files are being removed.");
	});
});
