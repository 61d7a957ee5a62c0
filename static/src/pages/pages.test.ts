import { describe, expect, it } from "vitest";
import type { Clip, SessionCard } from "../api.ts";
import { ownPath, problemsOf } from "./DoorPages.tsx";
import { nextOf, waitingOf } from "./next.ts";
import { seenBy, sessionHref } from "./rows.tsx";

const now = Date.parse("2026-05-14T09:40:00Z");
const session = (id: string, over: Partial<SessionCard>) =>
	({
		id,
		state: "planned",
		scheduled: null,
		inside: 0,
		mine: true,
		role: "focal",
		pauses: 1,
		clip: "c",
		title: id,
		...over,
	}) as SessionCard;
const clip = (over: Partial<Clip>) =>
	({ id: "c", mine: true, practice: false, title: "Clip", state: "ready", ...over }) as Clip;

describe("what is next", () => {
	it("is where people are, then the soonest, then the newest without a date", () => {
		const soon = session("soon", { scheduled: "2026-05-14T10:00:00Z" });
		const later = session("later", { scheduled: "2026-05-15T10:00:00Z" });
		const old = session("old", { scheduled: "2026-05-13T10:00:00Z" });
		const live = session("live", { state: "live", inside: 2 });
		const left = session("left", { state: "live" });
		const some = session("some", {});
		expect(nextOf([later, soon, live], now)).toBe(live);
		expect(nextOf([left, later, soon], now)).toBe(soon);
		expect(nextOf([old, some], now)).toBe(some);
		expect(nextOf([left, some], now)).toBe(left);
		expect(nextOf([old, session("past", { state: "ended" })], now)).toBeUndefined();
	});
	it("names up to two things that wait", () => {
		const clips = [
			clip({ state: "uploading" }),
			clip({ id: "d", state: "refused" }),
			clip({ id: "e", mine: false, state: "refused" }),
		];
		expect(waitingOf([], clips).map((w) => w.action)).toEqual(["Go on", "See why"]);
		expect(waitingOf([session("s", { pauses: 0 })], []).map((w) => w.href)).toEqual(["/s/s/plan"]);
		expect(waitingOf([session("s", {}), session("t", { pauses: 0, mine: false })], [])).toEqual([]);
	});
});

describe("links", () => {
	it("lead where the session is", () => {
		expect(sessionHref(session("s", { state: "ended" }))).toBe("/s/s/replay");
		expect(sessionHref(session("s", { state: "live" }))).toBe("/s/s");
		expect(sessionHref(session("s", {}))).toBe("/s/s/plan");
		expect(sessionHref(session("s", { mine: false, role: "peer" }))).toBe("/s/s");
	});
	it("stay on this server after signing in", () => {
		expect(ownPath("/s/a")).toBe("/s/a");
		for (const to of [null, "", "https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)"])
			expect(ownPath(to)).toBe("/");
	});
});

describe("words", () => {
	it("say who can see a clip", () => {
		expect(seenBy(clip({}))).toBe("Only you");
		expect(seenBy(clip({ viewers: ["Leila"] }))).toBe("You and Leila");
		expect(seenBy(clip({ viewers: ["Leila", "Tomasz"] }))).toBe("You and 2 others");
		expect(seenBy(clip({ mine: false, ownerName: "Mateo" }))).toContain("Mateo");
	});
	it("say what an account lacks", () => {
		expect(problemsOf({ name: " ", email: "amara", password: "short" })).toMatchObject({
			name: expect.stringContaining("name"),
			email: expect.stringContaining("email"),
			password: expect.stringContaining("10"),
		});
		expect(problemsOf({ name: "Amara", email: "a@b.example", password: "mười ký tự ạ" })).toEqual({});
	});
});
