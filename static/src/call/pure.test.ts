import { describe, expect, it } from "vitest";
import type { Drawing, Hold, Member, Recording, View } from "../event.gen.ts";
import { shortName } from "../words.ts";
import { deviceSentence } from "./devices.ts";
import { faceState, facesOf } from "./faces.ts";
import { focusOf, type KeyPress, keyAction } from "./keys.ts";
import { emptyDraft, nextRange, toNote, write } from "./notes/draft.ts";
import {
	byeText,
	countdown,
	hands,
	onFrame,
	presenceLine,
	recordingLine,
	recordingQuestion,
	spoken,
	whoContinues,
} from "./say.ts";

function member(id: string, change: Partial<Member> = {}): Member {
	return {
		id,
		name: id,
		role: "peer",
		guest: false,
		presence: "here",
		joined: 0,
		consent: "",
		mic: true,
		camera: true,
		screen: false,
		...change,
	};
}

const hold: Hold = {
	id: "h",
	frame: 3,
	position: 0,
	prompt: "",
	by: "",
	seq: 5,
	began: 0,
	think: 0,
	talk: 0,
	phase: "thinking",
	phaseSince: 0,
	confirmed: ["a"],
	answered: [],
	revealed: false,
	answers: [],
};

describe("keys", () => {
	const press = (key: string, more: Partial<KeyPress> = {}): KeyPress => ({
		key,
		ctrlKey: false,
		metaKey: false,
		altKey: false,
		shiftKey: false,
		repeat: false,
		...more,
	});

	it("do nothing where somebody types, but for Esc", () => {
		for (const key of [" ", "p", "c", "M", ".", "?"]) expect(keyAction(press(key), "field")).toBeNull();
		expect(keyAction(press("Escape"), "field")).toEqual({ do: "close" });
	});

	it("leave to a control what works it", () => {
		expect(keyAction(press(" "), "control")).toBeNull();
		expect(keyAction(press("ArrowRight"), "control")).toBeNull();
		expect(keyAction(press("p"), "control")).toEqual({ do: "pause" });
		expect(keyAction(press(" "), "button")).toBeNull();
		expect(keyAction(press("ArrowRight"), "button")).toEqual({ do: "jump", ms: 1000 });
	});

	it("leave the browser its own", () => {
		expect(keyAction(press("p", { ctrlKey: true }), "nothing")).toBeNull();
		expect(keyAction(press("c", { metaKey: true }), "nothing")).toBeNull();
	});

	it("jump a second, or ten with Shift; step a frame, also when held down", () => {
		expect(keyAction(press("ArrowLeft"), "nothing")).toEqual({ do: "jump", ms: -1000 });
		expect(keyAction(press("ArrowRight", { shiftKey: true }), "nothing")).toEqual({ do: "jump", ms: 10_000 });
		expect(keyAction(press(".", { repeat: true }), "nothing")).toEqual({ do: "step", frames: 1 });
	});

	it("are not repeated where that would toggle", () => {
		for (const key of [" ", "p", "v", "m"]) expect(keyAction(press(key, { repeat: true }), "nothing")).toBeNull();
	});

	it("begin a note with a capital, or a letter that means nothing here", () => {
		expect(keyAction(press("C", { shiftKey: true }), "nothing")).toEqual({ do: "write", text: "C" });
		expect(keyAction(press("é"), "nothing")).toEqual({ do: "write", text: "é" });
		expect(keyAction(press("“"), "nothing")).toEqual({ do: "write", text: "“" });
		expect(keyAction(press("5"), "nothing")).toBeNull();
		expect(keyAction(press("Tab"), "nothing")).toBeNull();
	});

	it("know what has the focus", () => {
		const el = (html: string) => {
			const box = document.createElement("div");
			box.innerHTML = html;
			return box.firstElementChild;
		};
		expect(focusOf(el("<textarea></textarea>"))).toBe("field");
		expect(focusOf(el("<input type=email>"))).toBe("field");
		expect(focusOf(el("<input type=checkbox>"))).toBe("control");
		expect(focusOf(el('<div role="slider"></div>'))).toBe("control");
		expect(focusOf(el('<button role="menuitem"></button>'))).toBe("control");
		expect(focusOf(el("<button></button>"))).toBe("button");
		expect(focusOf(el("<div></div>"))).toBe("nothing");
	});
});

describe("a draft", () => {
	const at = (ms: number, clip: number) => ({ at: ms, clip });

	it("takes the times of its first key, and forgets them when it is emptied", () => {
		let d = write(emptyDraft("shared"), "C", at(1000.4, 500));
		d = write(d, "Chloe", at(9000, 8000));
		expect(d.begun).toEqual({ at: 1000, clip: 500 });
		expect(write(d, "", at(9500, 8000)).begun).toBeNull();
		const sent = { id: "id", type: "observation", visibility: "shared", text: "Chloe", at: 1000 };
		expect(toNote(d, "id", at(9999, 9000), true)).toEqual({
			...sent,
			onClip: true,
			from: d.begun?.clip,
			to: d.begun?.clip,
		});
		expect(toNote(d, "id", at(9999, 9000), false)).toEqual(sent);
	});

	it("is not sent empty", () => {
		expect(toNote(write(emptyDraft("shared"), "  \n", at(1, 1)), "id", at(2, 2), true)).toBeNull();
	});

	it("has a range from here to here, the right way round, and lets go of it", () => {
		let d = nextRange(write(emptyDraft("private"), "x", at(1, 1)), 9_000_000);
		expect(toNote(d, "id", at(5, 12_000_000), true)).toMatchObject({ onClip: true, from: 9_000_000, to: 12_000_000 });
		d = nextRange(d, 4_000_000);
		expect(d.range).toEqual({ from: 4_000_000, to: 9_000_000 });
		expect(nextRange(d, 0).range).toBeNull();
	});
});

describe("faces", () => {
	it("leave out who left and who observes", () => {
		const all = [
			member("a"),
			member("b", { role: "observer" }),
			member("c", { presence: "left" }),
			member("d", { presence: "away" }),
		];
		expect(facesOf(all).map((m) => m.id)).toEqual(["a", "d"]);
		expect(facesOf(all, "a").map((m) => m.id)).toEqual(["d"]);
	});

	it("say the most important thing only", () => {
		const a = member("a", { hand: 5 });
		const b = member("b", { hand: 3 });
		const none = new Map<string, string>();
		const say = (m: Member, h: Hold | null = null, typing = none, quality = none) =>
			faceState(m, [a, b], h, typing, quality, 9000);
		expect(say(b)).toBe("hand");
		expect(say(a, hold)).toBe("next");
		expect(say(b, { ...hold, confirmed: ["a", "b"] })).toBe("first");
		expect(say(b, hold)).toBe("catching-up");
		expect(say(a, null, none, new Map([["a", "poor"]]))).toBe("poor");
		expect(say(member("c", { presence: "away", hand: 1 }))).toBe("away");
		expect(say(member("c"), null, new Map([["c", "note"]]))).toBe("writing");
		expect(say(member("c"))).toBeNull();
		expect(say(member("c", { watching: "own" }), hold)).toBe("alone");
		expect(say(member("c", { watching: "behind" }))).toBe("catching-up");
	});
});

describe("sentences", () => {
	const amara = member("1", { name: "Amara Okafor", role: "focal" });
	const leila = member("2", { name: "Leila", role: "facilitator" });
	const tom = member("3", { name: "Tomasz W", role: "coach" });

	it("call people by the first word of their names, unless two share it", () => {
		expect(shortName(amara, [amara, leila])).toBe("Amara");
		expect(shortName(amara, [amara, member("9", { name: "Amara Bell" })])).toBe("Amara Okafor");
	});

	it("say who is on the frame and who is waited for", () => {
		expect(onFrame({ ...hold, confirmed: ["1", "2"] }, [amara, leila, member("8", { presence: "away" })])).toBe(
			"2 of 2 on this frame",
		);
		expect(onFrame({ ...hold, confirmed: ["1"] }, [amara, leila])).toBe("1 of 2 on this frame, Leila is catching up");
		expect(onFrame({ ...hold, confirmed: [] }, [amara, leila])).toBe(
			"0 of 2 on this frame, Amara and Leila are catching up",
		);
		const alone = { ...amara, watching: "own" } as Member;
		expect(onFrame({ ...hold, confirmed: ["2"] }, [alone, leila])).toBe(
			"1 of 2 on this frame, Amara is looking around",
		);
		expect(onFrame({ ...hold, confirmed: [] }, [alone, leila])).toBe(
			"0 of 2 on this frame, Leila is catching up, Amara is looking around",
		);
	});

	it("say who continues", () => {
		expect(whoContinues([amara, leila, tom])).toBe("Leila continues");
		expect(whoContinues([amara, tom])).toBe("Amara or Tomasz continues");
		expect(whoContinues([member("5")])).toBe("Whoever leads continues");
	});

	it("reassure in words that nobody observes", () => {
		expect(presenceLine([amara, leila])).toEqual({ here: "2 here", observers: "no observers" });
		expect(presenceLine([amara, member("7", { role: "observer" })]).observers).toBe("1 observer");
	});

	it("list hands in the order in which they went up", () => {
		expect(hands([member("a", { hand: 9 }), member("b", { hand: 4 }), member("c")]).map((m) => m.id)).toEqual([
			"b",
			"a",
		]);
	});

	it("tell the recording's state and since when", () => {
		const r: Recording = { state: "on", since: 60_000, by: "1" };
		const all = [member("Amara", { consent: "agreed" }), member("Tomasz", { consent: "agreed", presence: "away" })];
		const late = [...all, member("Ben"), member("Eve", { presence: "left" })];
		expect(recordingLine(r, 0, all)).toMatchObject({ on: true });
		expect(recordingLine(r, 0, all).long).toMatch(/^Recording since .+ · everyone agreed$/);
		expect(recordingLine(r, 0, late).long).toMatch(/ · Ben has not answered and is not recorded$/);
		expect(recordingLine(r, 0, late).short).toMatch(/ · without 1$/);
		expect(recordingLine({ ...r, state: "off-the-record" }, 0, all).long).toMatch(/^Off the record since /);
		expect(recordingLine({ ...r, state: "off" }, 0, all).long).toBe("Not recorded");
		expect(recordingLine({ ...r, state: "asking" }, 0, late).long).toBe("Not recorded yet · 2 of 3 agreed");
	});

	it("ask who has not answered, and nobody else", () => {
		const r: Recording = { state: "asking", since: 0, by: "Amara" };
		const all = [member("Amara", { consent: "agreed" }), member("Ben"), member("Eve", { consent: "declined" })];
		expect(recordingQuestion(r, all, "Ben")).toMatch(/^Amara would like to record/);
		expect(recordingQuestion({ ...r, state: "on" }, all, "Ben")).toMatch(
			/being recorded.*not recorded unless you agree/,
		);
		expect(recordingQuestion({ ...r, state: "off-the-record" }, all, "Ben")).toBeNull();
		for (const who of ["Amara", "Eve"]) expect(recordingQuestion(r, all, who)).toBeNull();
	});

	it("tell the ear who joins, but not oneself", () => {
		const view = { members: [{ ...leila, presence: "away" }] } as View;
		const joined = (m: Member) => spoken({ type: "member.joined", at: 0, data: { member: m } }, view, "1");
		expect(joined(tom)).toBe("Tomasz W joined, Coach.");
		expect(joined(leila)).toBe("Leila is back.");
		expect(joined(amara)).toBeNull();
	});

	it("tell the ear who begins to draw, once, and that one's own strokes were cleared", () => {
		const drawing = { id: "d", author: leila.id, position: 0, points: [0.5, 0.5] };
		const view = { members: [amara, leila], drawings: [] as Drawing[] } as unknown as View;
		const added = (v: View, you: string) =>
			spoken({ type: "drawing.added", at: 0, by: leila.id, data: { drawing } }, v, you);
		expect(added(view, amara.id)).toBe(`${leila.name} has drawn on the frame.`);
		expect(added(view, leila.id)).toBeNull();
		const drawn = { ...view, drawings: [drawing] };
		expect(added(drawn, amara.id)).toBeNull();
		const removed = (by: string, you: string) =>
			spoken({ type: "drawing.removed", at: 0, by, data: { ids: ["d"] } }, drawn, you);
		expect(removed(amara.id, leila.id)).toBe("What you drew has been cleared.");
		expect(removed(amara.id, amara.id)).toBeNull();
		expect(removed(leila.id, amara.id)).toBeNull();
	});

	it("explain why it is over", () => {
		expect(byeText("replaced")).toMatchObject({ title: "You opened this call in another tab", back: true });
		expect(byeText("full")).toMatchObject({ title: "This session is full", back: false });
		expect(byeText("removed").back).toBe(false);
	});

	it("explain a device and what to do", () => {
		const error = (name: string) => new DOMException("", name);
		expect(deviceSentence("camera", error("NotReadableError"))).toMatch(/another program/);
		expect(deviceSentence("camera", error("NotFoundError"), false)).toMatch(/https:\/\//);
		expect(deviceSentence("mic", error("NotAllowedError"))).toMatch(/microphone.*Allow/);
		expect(deviceSentence("screen", error("NotAllowedError"))).toMatch(/not shared/);
		expect(deviceSentence("camera", null)).toMatch(/go on without it/);
	});

	it("count down in whole seconds, to zero", () => {
		expect(countdown(43_210)).toBe("0:44");
		expect(countdown(1)).toBe("0:01");
		expect(countdown(-5)).toBe("0:00");
	});
});
