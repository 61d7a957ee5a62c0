import { describe, expect, it } from "vitest";
import golden from "../../../room/event/testdata/fold.json";
import type { Event, Hold, Member, Note, Playback, View } from "../event.gen.ts";
import { fold } from "./fold.ts";

const line: Playback = { mode: "playing", position: 0, rate: 1, at: 0, seq: 4, ready: ["a", "b"], by: "a" };

function member(id: string, joined = 0): Member {
	return {
		id,
		name: id,
		role: "peer",
		guest: false,
		presence: "here",
		joined,
		consent: "",
		mic: false,
		camera: false,
		screen: false,
	};
}

function note(id: string, at: number): Note {
	return {
		id,
		author: "a",
		type: "question",
		visibility: "shared",
		text: "",
		at,
		onClip: false,
		from: 0,
		to: 0,
		written: at,
		replies: [],
	};
}

const hold: Hold = {
	id: "h",
	pause: "p",
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

function view(): View {
	const opened = fold(
		{} as View,
		event({
			type: "session.opened",
			data: {
				session: { id: "s", kind: "inquiry", title: "", focus: "", purpose: "", opened: 0, recorded: false },
				clip: null,
				pauses: [],
				notes: [],
			},
		}),
	);
	return { ...opened, members: [member("a"), member("b")], playback: line, hold };
}

function event(body: Pick<Event, "type" | "data">): Event {
	return { seq: 1, at: 0, ...body } as Event;
}

it("folds as the server does, step by step", () => {
	expect(golden.length).toBeGreaterThan(20);
	let v = {} as View;
	for (const [i, step] of golden.entries()) {
		v = fold(v, step.event as unknown as Event);
		expect(v, `after step ${i}, ${step.event.type}`).toEqual(step.view);
	}
});

describe("fold", () => {
	it("keeps members by arrival, and whoever comes back says anew that they are ready and on the frame", () => {
		const v = fold(view(), event({ type: "member.joined", data: { member: member("a", 9) } }));
		expect(v.members.map((m) => m.id)).toEqual(["b", "a"]);
		expect(v.playback.ready).toEqual(["b"]);
		expect(v.hold?.confirmed).toEqual([]);
		const changed = fold(view(), event({ type: "member.changed", data: { member: member("a", 9) } }));
		expect(changed.playback.ready).toEqual(["a", "b"]);
	});

	it("counts readiness for the line that there is only", () => {
		const late = event({ type: "playback.readied", data: { seq: 3, member: "c" } });
		const v = view();
		expect(fold(v, late)).toBe(v);
		expect(fold(v, event({ type: "playback.readied", data: { seq: 4, member: "c" } })).playback.ready).toEqual([
			"a",
			"b",
			"c",
		]);
	});

	it("marks the pause as passed when its hold begins, and takes the line over", () => {
		const before = {
			...view(),
			hold: null,
			pauses: [{ id: "p", frame: 3, prompt: "", think: 0, talk: 0, by: "", passed: false }],
		};
		const v = fold(
			before,
			event({ type: "hold.began", data: { hold, playback: { ...line, mode: "holding", seq: 5 } } }),
		);
		expect(v.pauses[0]?.passed).toBe(true);
		expect(v.playback).toMatchObject({ mode: "holding", seq: 5 });
		expect(before.pauses[0]?.passed).toBe(false);
	});

	it("keeps answers by member; an empty one only counts; at 0 it is taken back", () => {
		const answer = (member: string, text: string, at: number) =>
			event({ type: "hold.answered", data: { hold: "h", answer: { member, text, at } } });
		let v = fold(view(), answer("b", "x", 5));
		v = fold(v, answer("a", "", 6));
		expect(v.hold).toMatchObject({ answered: ["a", "b"], answers: [{ member: "b" }] });
		v = fold(v, answer("b", "", 0));
		expect(v.hold).toMatchObject({ answered: ["a"], answers: [] });
	});

	it("keeps notes and replies by session time", () => {
		let v = fold(view(), event({ type: "note.added", data: { note: note("n2", 20) } }));
		v = fold(v, event({ type: "note.added", data: { note: note("n1", 10) } }));
		const reply = (id: string, at: number) =>
			event({ type: "note.replied", data: { note: "n1", reply: { id, author: "a", text: "", at } } });
		v = fold(fold(v, reply("r2", 9)), reply("r1", 8));
		expect(v.notes.map((n) => n.id)).toEqual(["n1", "n2"]);
		expect(v.notes[0]?.replies.map((r) => r.id)).toEqual(["r1", "r2"]);
		v = fold(v, event({ type: "reply.removed", data: { note: "n1", id: "r2" } }));
		v = fold(v, event({ type: "note.removed", data: { id: "n2" } }));
		expect(v.notes).toHaveLength(1);
		expect(v.notes[0]?.replies).toHaveLength(1);
	});

	it("changes nothing for what is not there, and for what is transient", () => {
		const v = view();
		for (const e of [
			event({ type: "hold.ended", data: { hold: "other" } }),
			event({ type: "hold.confirmed", data: { hold: "other", member: "b", frame: 1 } }),
			event({ type: "note.replied", data: { note: "none", reply: { id: "r", author: "a", text: "", at: 1 } } }),
			event({ type: "member.speaking", data: { members: ["a"] } }),
		]) {
			expect(fold(v, e)).toBe(v);
		}
	});
});
