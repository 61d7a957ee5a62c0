import { describe, expect, it } from "vitest";
import type { Event, EventBody, Hold, Member, Note, Playback } from "../event.gen.ts";
import { History, union, within } from "./history.ts";

const ana: Member = {
	id: "m-ana",
	name: "Ana Ruiz",
	role: "focal",
	guest: false,
	presence: "here",
	joined: 100,
	consent: "agreed",
	mic: true,
	camera: true,
	screen: false,
};
const bo: Member = { ...ana, id: "m-bo", name: "Bo", role: "coach", joined: 200 };
const hold: Hold = {
	id: "h1",
	pause: "p1",
	frame: 250,
	position: 10_020_000,
	prompt: "What do you notice?",
	by: "Ana Ruiz",
	seq: 3,
	began: 15_020,
	think: 60_000,
	talk: 0,
	phase: "thinking",
	phaseSince: 15_020,
	confirmed: [],
	answered: [],
	revealed: false,
	answers: [],
};
const called: Hold = {
	...hold,
	id: "h2",
	pause: "",
	frame: 500,
	position: 20_020_000,
	seq: 5,
	prompt: "",
	began: 30_500,
};
const line = (p: Partial<Playback>): EventBody => ({
	type: "playback.changed",
	data: { playback: { mode: "playing", position: 0, rate: 1, at: 0, seq: 0, ready: [], by: "", ...p } },
});
const record = (state: "on" | "off" | "off-the-record", since: number): EventBody => ({
	type: "recording.changed",
	data: { recording: { state, since, by: "" } },
});
const note: Note = {
	id: "n1",
	author: "m-bo",
	type: "observation",
	visibility: "shared",
	text: "Two share a book.",
	at: 11_500,
	onClip: true,
	from: 6_500_000,
	to: 6_500_000,
	written: 12_000,
	replies: [],
};
const prepared: Note = { ...note, id: "n0", at: 0, written: 0, from: 4_000_000, to: 9_500_000 };

/** The same session as in the recorder's tests: a clip of 25 fps, two pauses, on and off the record. */
const bodies: [number, EventBody][] = [
	[
		0,
		{
			type: "session.opened",
			data: {
				session: {
					id: "s1",
					kind: "conversation",
					title: "Fractions",
					focus: "",
					purpose: "",
					opened: 1_760_000_000_000,
					recorded: true,
				},
				clip: {
					id: "c1",
					title: "",
					focus: "",
					context: "",
					duration: 60_000_000,
					frames: 1500,
					fpsNum: 25,
					fpsDen: 1,
					from: 2_000_000,
					to: 50_000_000,
					width: 1280,
					height: 720,
				},
				pauses: [
					{
						id: "p1",
						frame: 250,
						prompt: "What do you notice?",
						think: 60_000,
						talk: 0,
						by: "Ana Ruiz",
						passed: false,
					},
				],
				notes: [prepared],
				keeping: { days: 0, held: 0, reason: "" },
			},
		},
	],
	[100, { type: "member.joined", data: { member: ana } }],
	[200, { type: "member.joined", data: { member: bo } }],
	[1000, record("on", 1000)],
	[5000, line({ mode: "waiting", position: 2_000_000, at: 9000, seq: 1 })],
	[6000, { type: "playback.readied", data: { seq: 1, member: ana.id } }],
	[6500, line({ position: 2_000_000, at: 7000, seq: 2 })],
	[12_000, { type: "note.added", data: { note } }],
	[13_000, { type: "member.spoke", data: { speech: { member: bo.id, from: 11_000, to: 12_900 } } }],
	[
		15_020,
		{
			type: "hold.began",
			data: {
				hold,
				playback: { mode: "holding", position: 10_020_000, rate: 1, at: 15_020, seq: 3, ready: [], by: "" },
			},
		},
	],
	[
		16_000,
		{ type: "hold.answered", data: { hold: "h1", answer: { member: bo.id, text: "A pupil explains.", at: 16_000 } } },
	],
	[
		20_000,
		{
			type: "hold.revealed",
			data: { hold: "h1", answers: [{ member: bo.id, text: "A pupil explains.", at: 16_000 }] },
		},
	],
	[20_000, { type: "hold.phase", data: { hold: "h1", phase: "talking", since: 20_000 } }],
	[25_000, { type: "hold.ended", data: { hold: "h1" } }],
	[25_000, line({ position: 10_020_000, rate: 2, at: 25_500, seq: 4 })],
	[30_000, record("off-the-record", 30_000)],
	[
		30_450,
		{
			type: "hold.began",
			data: {
				hold: called,
				playback: { mode: "holding", position: 20_020_000, rate: 2, at: 30_500, seq: 5, ready: [], by: "" },
			},
		},
	],
	[31_000, { type: "hold.answered", data: { hold: "h2", answer: { member: bo.id, text: "never shown", at: 31_000 } } }],
	[50_000, record("on", 50_000)],
	[55_000, { type: "member.left", data: { member: { ...bo, presence: "left" } } }],
	[
		60_000,
		{
			type: "session.ended",
			data: {
				session: {
					id: "s1",
					kind: "conversation",
					title: "Fractions",
					focus: "",
					purpose: "",
					opened: 1_760_000_000_000,
					recorded: true,
					ended: 60_000,
					endedBy: ana.id,
				},
			},
		},
	],
];
const make = (list: [number, EventBody][]) => list.map(([at, body], i) => ({ seq: i + 1, at, ...body }) as Event);
const journal = make(bodies);
const history = new History(journal, 60_000);

describe("what was shown at a session time", () => {
	it.each([
		[0, "stopped", 2_000_000, 50, 1, ""],
		[6400, "waiting", 2_000_000, 50, 1, ""],
		[6999, "playing", 2_000_000, 50, 1, ""], // all begin together at 7 s
		[8999, "playing", 3_999_000, 99, 1, ""],
		[15_000, "playing", 10_000_000, 250, 1, ""],
		[15_020, "holding", 10_020_000, 250, 1, "h1"],
		[24_999, "holding", 10_020_000, 250, 1, "h1"],
		[25_000, "playing", 10_020_000, 250, 2, ""],
		[26_500, "playing", 12_020_000, 300, 2, ""],
		[30_460, "holding", 19_940_000, 498, 2, "h2"], // called: the line runs on to the frame due
		[30_500, "holding", 20_020_000, 500, 2, "h2"],
		[99_000, "holding", 20_020_000, 500, 2, "h2"],
	])("at %d ms", (t, mode, position, frame, rate, hold) => {
		expect(history.shownAt(t)).toEqual({ mode, position, frame, rate, hold, onClip: true });
	});

	it("stops by itself at the prepared pause, and at the last frame of the range", () => {
		expect(new History(journal.slice(0, 7), 0).shownAt(3_600_000).frame).toBe(250);
		const plain = make(
			bodies.map(([at, b]) => [at, b.type === "session.opened" ? { ...b, data: { ...b.data, pauses: [] } } : b]),
		);
		expect(new History(plain.slice(0, 7), 0).shownAt(3_600_000)).toMatchObject({ position: 49_980_000, frame: 1249 });
	});

	it("goes on at the old speed until a new one begins", () => {
		const faster = make([...bodies.slice(0, 7), [9000, line({ position: 4_500_000, rate: 2, at: 9500, seq: 3 })]]);
		const h = new History(faster, 12_000);
		expect(h.shownAt(9250).position).toBe(4_250_000);
		expect(h.shownAt(10_000).position).toBe(5_500_000);
	});

	it("takes an event without a time for one at the beginning, as the wire leaves a 0 out", () => {
		const bare = journal.map(({ at, ...e }) => (at ? { ...e, at } : e)) as Event[];
		const h = new History(bare, 60_000);
		expect(h.shownAt(0)).toEqual(history.shownAt(0));
		expect(h.pieces).toEqual(history.pieces);
	});

	it("is nothing without events or without a clip", () => {
		expect(new History([], 0).shownAt(5).onClip).toBe(false);
		expect(new History([], 0).viewAt(5).members).toEqual([]);
		expect(new History(journal.slice(1), 60_000).pieces).toEqual([]);
	});
});

describe("pieces", () => {
	it("cover the whole session and meet", () => {
		expect(history.pieces[0]?.from).toBe(0);
		expect(history.pieces.at(-1)?.to).toBe(60_000);
		for (const [i, p] of history.pieces.entries()) {
			expect(p.to).toBeGreaterThan(p.from);
			if (i > 0) expect(p.from).toBe(history.pieces[i - 1]?.to);
		}
	});

	it("say the same as what was shown, everywhere", () => {
		for (let t = 0; t <= 60_000; t += 37) {
			const p = history.pieceAt(t)!;
			expect(Math.abs(p.a + p.rate * 1000 * (t - p.from) - history.shownAt(t).position)).toBeLessThan(3);
		}
	});

	it("are run, pause, run, pause", () => {
		const moving = history.pieces.filter((p) => p.rate > 0 || p.hold).map((p) => [p.rate, p.hold, p.a, p.b]);
		expect(moving).toEqual([
			[1, "", 2_000_000, 10_020_000],
			[0, "h1", 10_020_000, 10_020_000],
			[2, "", 10_020_000, expect.any(Number)],
			[2, "h2", expect.any(Number), 20_020_000],
			[0, "h2", 20_020_000, 20_020_000],
		]);
	});
});

describe("from the clip's time to the conversation's", () => {
	it("finds when a place was shown", () => {
		expect(history.momentsOf(4_000_000)).toEqual([9000]);
		expect(history.momentsOf(12_020_000)).toEqual([26_500]);
		expect(history.momentsOf(10_020_000)[0]).toBeCloseTo(15_020, 3);
	});

	it("takes the nearest moment for a place that was never shown", () => {
		expect(history.momentsOf(45_000_000)).toEqual([]);
		expect(history.momentFor(45_000_000)).toBe(30_500);
		expect(history.momentFor(0)).toBe(7000);
	});

	it("leaves out what stands", () => {
		expect(history.runFrom(0)).toBe(7000);
		expect(history.runFrom(9000)).toBe(9000);
		expect(history.runFrom(16_000)).toBe(25_500);
		expect(history.runFrom(40_000)).toBe(null);
	});

	it("places a note that was written beforehand where its place was first shown", () => {
		expect(history.momentOfNote(prepared)).toBe(9000);
		expect(history.momentOfNote(note)).toBe(11_500);
	});
});

describe("chapters", () => {
	it("are the pauses as they went", () => {
		expect(history.chapters.map((c) => [c.number, c.from, c.to, c.frame, c.revealedAt, c.talkFrom])).toEqual([
			[1, 15_020, 25_000, 250, 20_000, 20_000],
			[2, 30_500, 60_000, 500, null, null],
		]);
		expect(history.chapters.map((c) => c.answers.length)).toEqual([1, 0]);
		expect(history.chapterAt(16_000)?.id).toBe("h1");
		expect(history.chapterAt(25_000)).toBe(null);
		expect([0, 15_020, 29_000, 59_000].map((t) => history.passedAt(t))).toEqual([0, 1, 1, 2]);
	});
});

describe("people and the record", () => {
	it("knows who was there, who spoke, and the view of each moment in any order", () => {
		expect(history.present.get("m-bo")).toEqual([{ from: 200, to: 55_000 }]);
		expect(history.present.get("m-ana")).toEqual([{ from: 100, to: 60_000 }]);
		expect(history.speakersAt(12_000)).toEqual(["m-bo"]);
		expect(history.speakersAt(12_950)).toEqual([]);
		for (const [t, notes, members] of [
			[60_000, 2, 2],
			[150, 1, 1],
			[12_000, 2, 2],
			[11_999, 1, 2],
			[0, 1, 0],
		]) {
			expect(history.viewAt(t!).notes.length).toBe(notes);
			expect(history.viewAt(t!).members.length).toBe(members);
		}
	});

	it("keeps views of long sessions", () => {
		const many: [number, EventBody][] = Array.from({ length: 500 }, (_, i) => [
			60_001 + i,
			{ type: "note.added", data: { note: { ...note, id: `x${i}`, at: 60_001 + i } } },
		]);
		const long = new History(make([...bodies.slice(0, -1), ...many]), 0);
		for (const t of [60_400, 60_010, 60_500, 60_063, 60_064]) expect(long.viewAt(t).notes.length).toBe(2 + t - 60_000);
	});

	it("shows what was drawn while it was there, on its frame", () => {
		const stroke = (id: string, author: string): EventBody => ({
			type: "drawing.added",
			data: { drawing: { id, author, position: 10_020_000, points: [0.1, 0.2, 0.3, 0.4] } },
		});
		const drawn: [number, EventBody][] = [
			[17_000, stroke("d1", ana.id)],
			[18_000, stroke("d2", bo.id)],
			[22_000, { type: "drawing.removed", data: { ids: ["d1"] } }],
		];
		const h = new History(make([...bodies, ...drawn].sort((a, b) => a[0] - b[0])), 60_000);
		const at = (t: number) => h.viewAt(t).drawings.map((d) => d.id);
		expect([16_999, 17_000, 21_999, 22_000, 24_999, 25_000, 60_000].map(at)).toEqual([
			[],
			["d1"],
			["d1", "d2"],
			["d2"],
			["d2"],
			[],
			[],
		]);
		expect(h.chapters).toEqual(history.chapters);
		expect(h.momentAfter(16_500)).toBe(17_000);
	});

	it("was on the record from 1 s to 30 s and from 50 s", () => {
		expect(history.recorded).toEqual([
			{ from: 1000, to: 30_000 },
			{ from: 50_000, to: 60_000 },
		]);
		expect(history.offRecordAt(500)).toEqual({ from: 0, to: 1000 });
		expect(history.offRecordAt(5000)).toBe(null);
		expect(history.offRecordAt(40_000)).toEqual({ from: 30_000, to: 50_000 });
	});

	it("offers to skip where nothing goes on for long", () => {
		const heard = [
			{ from: 1000, to: 30_000 },
			{ from: 50_000, to: 60_000 },
		];
		expect(history.skipFrom(31_000, heard)).toBe(50_000);
		expect(history.skipFrom(40_000, heard)).toBe(null); // soon enough
		expect(history.skipFrom(8000, heard)).toBe(null);
		expect(history.skipFrom(31_000, [])).toBe(null); // nothing more to come
		const points = [0.5, 0.5];
		const stroke: EventBody = {
			type: "drawing.added",
			data: { drawing: { id: "d", author: bo.id, position: 0, points } },
		};
		const drawn = new History(make([...bodies.slice(0, -3), [49_500, stroke], ...bodies.slice(-3)]), 60_000);
		expect(drawn.skipFrom(31_000, heard)).toBe(47_500);
	});
});

it("joins intervals", () => {
	expect(
		union([
			{ from: 5, to: 9 },
			{ from: 0, to: 2 },
			{ from: 8, to: 12 },
			{ from: 12, to: 13 },
		]),
	).toEqual([
		{ from: 0, to: 2 },
		{ from: 5, to: 13 },
	]);
	expect(
		union(
			[
				{ from: 0, to: 2 },
				{ from: 3, to: 4 },
			],
			1,
		),
	).toEqual([{ from: 0, to: 4 }]);
	expect(within([{ from: 0, to: 2 }], 2)).toBe(false);
});
