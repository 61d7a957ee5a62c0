import { describe, expect, it } from "vitest";
import type { Action, Clip, Member, Pause } from "../event.gen.ts";
import { changed, changeOf, momentOf, stretch } from "./notes/draft.ts";
import { callOf, frameFor, newProposals, pauseOn, rightOn } from "./pauses.ts";
import { arrived, driversSentence, spoken } from "./say.ts";

const pause = (id: string, some: Partial<Pause> = {}): Pause => ({
	id,
	frame: 10,
	prompt: "",
	think: 0,
	talk: 0,
	by: "Mei",
	passed: false,
	...some,
});
const may = (...a: Action[]): ReadonlySet<Action> => new Set(a);

describe("prepared pauses", () => {
	it("are changed by those who prepare, and a proposal by who made it", () => {
		const proposal = pause("a", { proposed: true });
		expect(rightOn(pause("a"), may("prepare", "propose"), { name: "Leila" })).toBe("edit");
		expect(rightOn(proposal, may("prepare", "propose"), { name: "Leila" })).toBe("accept");
		expect(rightOn(proposal, may("propose"), { name: "Mei" })).toBe("edit");
		expect(rightOn(proposal, may("propose"), { name: "Bo" })).toBe("read");
		expect(rightOn(pause("a"), may("propose"), { name: "Mei" })).toBe("read");
		expect(rightOn(proposal, may(), { name: "Mei" })).toBe("read");
	});

	it("are on a frame of the chosen part", () => {
		const clip = { from: 1_000_000, to: 2_000_000, duration: 3_000_000, frames: 75, fpsNum: 25, fpsDen: 1 } as Clip;
		expect(frameFor(0, clip)).toBe(25);
		expect(frameFor(1_500_000, clip)).toBe(37);
		expect(frameFor(9_000_000, clip)).toBe(49);
	});

	it("share no frame", () => {
		expect(pauseOn(10, [pause("a")], "b")?.id).toBe("a");
		expect(pauseOn(10, [pause("a")], "a")).toBeUndefined();
	});

	it("are told once when somebody else proposes them", () => {
		const all = [pause("a", { proposed: true }), pause("b", { proposed: true, by: "Leila" }), pause("c")];
		expect(newProposals(new Set(), all, "Leila").map((p) => p.id)).toEqual(["a"]);
		expect(newProposals(new Set(["a"]), all, "Leila")).toEqual([]);
	});

	it("are called with what was said only", () => {
		expect(callOf("  ", 0)).toEqual({});
		expect(callOf(" Who? ", 60_000)).toEqual({ prompt: "Who?", think: 60_000 });
	});
});

describe("the controls", () => {
	const people = [
		{ id: "1", name: "Amara Okafor", role: "focal", presence: "here" },
		{ id: "2", name: "Tomasz W", role: "coach", presence: "here" },
		{ id: "3", name: "Mei Chen", role: "peer", presence: "here" },
	] as Member[];

	it("are said to everybody", () => {
		expect(driversSentence(people, "", "1")).toBe("You and Tomasz play and stop the clip.");
		expect(driversSentence(people, "3", "3")).toBe("You, Amara and Tomasz play and stop the clip.");
		expect(driversSentence(people.slice(1), "", "3")).toBe("Tomasz plays and stops the clip.");
		expect(driversSentence([people[2]!], "", "3")).toBe("Nobody who plays the clip is here yet.");
	});

	it("are met by whoever arrives", () => {
		expect(arrived(people, "3")).toBe("You are in the call, with Amara and Tomasz.");
		expect(arrived([people[0]!], "1")).toContain("Nobody else is here yet");
	});

	it("are told when they change hands", () => {
		const view = (holder: string) => ({ members: people, controls: { holder }, pauses: [] }) as never;
		const event = (holder: string) => ({ type: "controls.changed", data: { controls: { holder } } }) as never;
		expect(spoken(event("3"), view(""), "1")).toBe("Mei Chen has the controls.");
		expect(spoken(event("3"), view(""), "3")).toContain("You have the controls");
		expect(spoken(event(""), view("3"), "1")).toBe("Mei Chen has the controls no more.");
		expect(spoken(event(""), view(""), "1")).toBeNull();
	});
});

describe("a note that is edited", () => {
	const note = { text: "a", type: "observation", visibility: "shared", onClip: true, from: 5, to: 5 } as never;

	it("can become a stretch and a moment again, never backwards", () => {
		const c = changeOf(note);
		expect(changed(c, note)).toBe(false);
		expect(stretch(c, "to", 9)).toMatchObject({ from: 5, to: 9 });
		expect(stretch(c, "to", 2)).toMatchObject({ from: 2, to: 2 });
		expect(stretch(c, "from", 8.4)).toMatchObject({ from: 8, to: 8 });
		expect(momentOf(stretch(c, "to", 9))).toEqual(c);
		expect(changed({ ...c, visibility: "private" }, note)).toBe(true);
		expect(changed({ ...c, text: " a " }, note)).toBe(false);
	});
});
