import { describe, expect, it } from "vitest";
import {
	answerFrom,
	begin,
	fileProblem,
	mayRetry,
	next,
	refusalOf,
	sayUpload,
	titleOf,
	type UploadEvent,
} from "./state.ts";

const stateAfter = (...events: UploadEvent[]) => events.reduce(next, begin(100));

describe("an upload", () => {
	it("is sent in parts", () => {
		const s = stateAfter({ type: "created", clip: "c" }, { type: "progress", sent: 40 });
		expect(s).toMatchObject({ phase: "sending", sent: 40, total: 100, clip: "c" });
		expect(next(s, { type: "sent" })).toMatchObject({ phase: "sent", sent: 100 });
	});
	it("stays paused when a late report comes", () => {
		const s = stateAfter({ type: "progress", sent: 40 }, { type: "pause" }, { type: "progress", sent: 48 });
		expect(s).toMatchObject({ phase: "paused", sent: 48 });
		expect(next(s, { type: "lost" }).phase).toBe("paused");
		expect(next(s, { type: "resume" }).phase).toBe("starting");
	});
	it("waits for a lost connection and goes on", () => {
		const s = stateAfter({ type: "progress", sent: 40 }, { type: "lost" });
		expect(s.phase).toBe("waiting");
		expect(next(s, { type: "progress", sent: 41 }).phase).toBe("sending");
	});
	it("fails with a sentence, and may be tried again", () => {
		const s = stateAfter({ type: "failed", sentence: "Too large." });
		expect(s).toMatchObject({ phase: "failed", sentence: "Too large." });
		expect(sayUpload(s)).toBe("Too large.");
		expect(next(s, { type: "resume" })).toMatchObject({ phase: "starting", sentence: "" });
	});
	it("is over once it is sent", () => {
		const s = stateAfter({ type: "sent" });
		for (const type of ["pause", "resume", "lost"] as const) expect(next(s, { type })).toBe(s);
	});
	it("never shows more than all of it", () => {
		expect(stateAfter({ type: "progress", sent: 120 }).sent).toBe(100);
		expect(stateAfter({ type: "progress", sent: -1 }).sent).toBe(0);
	});
});

describe("answers of the server", () => {
	it("are tried again where that can help", () => {
		for (const status of [0, 409, 423, 429, 500, 503]) expect(mayRetry({ status })).toBe(true);
		for (const status of [400, 401, 403, 404, 410, 413, 415]) expect(mayRetry({ status })).toBe(false);
	});
	it("are not tried again where somebody has to make room first", () => {
		expect(mayRetry({ status: 507, code: "disk_full" })).toBe(false);
		expect(mayRetry({ status: 429, code: "too_many" })).toBe(false);
	});
	it("are told with what to do", () => {
		expect(refusalOf({ status: 413 }, true)).toContain("4 GB");
		expect(refusalOf({ status: 418 }, true)).toContain("Try again");
		const full = answerFrom(507, '{"error":{"code":"disk_full","message":"The server has no room."}}');
		expect(refusalOf(full, true)).toBe("The server has no room.");
		expect(refusalOf(answerFrom(418, "<html>"), true)).toContain("Try again");
	});
	it("of a proxy, with an error of another shape, are not read out", () => {
		for (const error of ['"request blocked"', "{}", '{"code":5,"message":{}}', "null"]) {
			const answer = answerFrom(400, `{"error":${error}}`);
			expect(answer).toEqual({ status: 400 });
			expect(refusalOf(answer, true)).toContain("Try again");
		}
		const half = answerFrom(400, '{"error":{"message":"This file is empty."}}');
		expect(half).toEqual({ status: 400, message: "This file is empty." });
	});
	it("tell who is signed out from who sends what is another's", () => {
		expect(refusalOf({ status: 401 }, true)).toContain("You are signed out");
		expect(refusalOf({ status: 403 }, false)).toContain("You are signed out");
		expect(refusalOf({ status: 403 }, true)).toContain("another account");
		expect(refusalOf({ status: 403 }, null)).toContain("Check that you are signed in");
	});
});

describe("a file", () => {
	it("is refused before it is sent when it cannot be a lesson", () => {
		expect(fileProblem({ name: "a.mp4", size: 0, type: "video/mp4" })).toContain("empty");
		expect(fileProblem({ name: "a.mp4", size: 5e9, type: "video/mp4" })).toContain("4 GB");
		expect(fileProblem({ name: "a.pdf", size: 5, type: "application/pdf" })).toContain("no video");
		expect(fileProblem({ name: "a.MTS", size: 5, type: "" })).toBe("");
		expect(fileProblem({ name: "a.mov", size: 5, type: "video/quicktime" })).toBe("");
	});
	it("lends its name", () => {
		expect(titleOf("Year_5_fractions.MP4")).toBe("Year 5 fractions");
		expect(titleOf("Toán lớp 5")).toBe("Toán lớp 5");
	});
});
