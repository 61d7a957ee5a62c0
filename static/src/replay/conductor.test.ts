import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Event, EventBody, Hold, Playback } from "../event.gen.ts";
import { SimulatedMedia } from "../sync/simulated.ts";
import { type Buffered, ClipPart, Conductor, type Part, TrackPart } from "./conductor.ts";
import { History, type Interval } from "./history.ts";
import type { Slot } from "./window.ts";

const line = (p: Partial<Playback>): Playback => ({
	mode: "playing",
	position: 0,
	rate: 1,
	at: 0,
	seq: 0,
	ready: [],
	by: "",
	...p,
});
const hold: Hold = {
	id: "h",
	pause: "p",
	frame: 150,
	position: 5_016_667,
	prompt: "Who thinks?",
	by: "Ana",
	seq: 2,
	began: 7017,
	think: 0,
	talk: 0,
	phase: "talking",
	phaseSince: 7017,
	confirmed: [],
	answered: [],
	revealed: false,
	answers: [],
};
const bodies: [number, EventBody][] = [
	[
		0,
		{
			type: "session.opened",
			data: {
				session: { id: "s", kind: "conversation", title: "", focus: "", purpose: "", opened: 1, recorded: true },
				clip: {
					id: "c",
					title: "",
					focus: "",
					context: "",
					duration: 60_000_000,
					frames: 1800,
					fpsNum: 30,
					fpsDen: 1,
					from: 0,
					to: 60_000_000,
					width: 1280,
					height: 720,
				},
				pauses: [{ id: "p", frame: 150, prompt: "Who thinks?", think: 0, talk: 0, by: "Ana", passed: false }],
				notes: [],
				keeping: { days: 0, held: 0, reason: "" },
			},
		},
	],
	[2000, { type: "playback.changed", data: { playback: line({ at: 2000, seq: 1 }) } }],
	[
		7017,
		{ type: "hold.began", data: { hold, playback: line({ mode: "holding", position: 5_016_667, at: 7017, seq: 2 }) } },
	],
	[20_000, { type: "hold.ended", data: { hold: "h" } }],
	[20_000, { type: "playback.changed", data: { playback: line({ position: 5_016_667, at: 20_000, seq: 3 }) } }],
];
const journalOf = (list: [number, EventBody][]) =>
	new History(
		list.map(([at, b], i) => ({ seq: i + 1, at, ...b }) as Event),
		30_000,
	);
const history = journalOf(bodies);

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

describe("the clock", () => {
	it("plays, stops, changes speed and ends at the end", async () => {
		const c = new Conductor(history, 1000);
		c.play();
		await pass(1000);
		expect(c.now()).toBe(2000);
		c.setRate(2);
		await pass(1000);
		expect(c.now()).toBe(4000);
		c.stop();
		await pass(1000);
		expect(c.now()).toBe(4000);
		c.seek(29_000);
		c.play();
		await pass(2000);
		expect([c.now(), c.playing.value, c.time.value]).toEqual([30_000, false, 30_000]);
		c.play(); // from the beginning
		await pass(500);
		expect(c.now()).toBe(1000);
		c.close();
	});

	it.each([0.5, 1, 2])("shows what happened within 50 ms of when it did, at a speed of %d", (rate) => {
		const handed = Array.from({ length: 40 }, (_, i): [number, EventBody] => [
			21_000 + i * 173,
			{ type: "controls.changed", data: { controls: { holder: `m-${i}` } } },
		]);
		const speech = { member: "m-1", from: 28_071, to: 28_889 };
		const h = journalOf([...bodies, ...handed, [29_000, { type: "member.spoke", data: { speech } }]]);
		const at = (t: number) => `${h.viewAt(t).controls.holder}, ${h.chapterAt(t)?.id}, ${h.speakersAt(t)}`;
		const c = new Conductor(h, 19_003);
		c.setRate(rate);
		c.play();
		const shown = new Set<string>();
		while (c.playing.value) {
			vi.advanceTimersByTime(11);
			const is = at(c.time.value);
			shown.add(is);
			expect([at(c.now()), at(c.now() - 50)]).toContain(is);
		}
		expect(shown.size).toBe(1 + 1 + handed.length + 1); // the pause, what follows, and while somebody speaks
		c.close();
	});

	it("keeps to the session: a seek beyond it goes to its end", () => {
		const c = new Conductor(history);
		c.seek(-5);
		expect(c.now()).toBe(0);
		c.seek(Number.NaN);
		expect(c.now()).toBe(0);
		c.seek(1e9);
		expect(c.now()).toBe(30_000);
		c.close();
	});

	it("leaves out what stands when it goes by the clip", async () => {
		const c = new Conductor(history, 5000);
		c.setMode("clip");
		c.play();
		await pass(2100);
		expect(c.now()).toBeGreaterThanOrEqual(20_000);
		expect(c.now()).toBeLessThan(20_200);
		c.close();
	});

	it("waits for media that is on its way, but not for ever, and then goes on without", async () => {
		let late = true;
		const part: Part = { keep: () => {}, waits: () => late, unmute: () => {}, close: () => {} };
		const c = new Conductor(history);
		c.add(part);
		c.play();
		await pass(1000);
		expect([c.now(), c.waiting.value]).toEqual([0, true]);
		late = false;
		await pass(1050);
		expect(c.waiting.value).toBe(false);
		expect(c.now()).toBeGreaterThan(900);
		late = true;
		await pass(1000);
		const stood = c.now();
		expect(c.waiting.value).toBe(true);
		await pass(3000);
		expect(c.now()).toBe(stood);
		await pass(5000);
		expect(c.now()).toBeGreaterThan(stood + 2000);
		c.close();
	});
});

describe("the clip", () => {
	const setUp = (start: number) => {
		const c = new Conductor(history, start);
		const el = new SimulatedMedia({ duration: 60 });
		c.add(new ClipPart(el, history, () => {}));
		return { c, el };
	};

	it("runs where it ran, stands on the middle of the frame, and goes on", async () => {
		const { c, el } = setUp(2000);
		await pass(200);
		c.play();
		await pass(4000);
		expect(Math.abs(el.currentTime - (c.now() - 2000) / 1000)).toBeLessThan(0.05);
		await pass(3000);
		expect(el.paused).toBe(true);
		expect(el.currentTime).toBeCloseTo(5.016667, 5);
		c.seek(19_000);
		await pass(5000);
		expect(el.paused).toBe(false);
		expect(Math.abs(el.currentTime - history.shownAt(c.now()).position / 1e6)).toBeLessThan(0.05);
		c.close();
		expect(el.listening).toBe(0);
	});

	it("is on the exact frame after a seek while it stands", async () => {
		const { c, el } = setUp(0);
		c.seek(12_000);
		await pass(300);
		expect(el.currentTime).toBeCloseTo(5.016667, 5);
		c.seek(4010);
		await pass(300);
		expect(el.currentTime).toBeCloseTo((60 + 0.5) / 30, 5);
		c.close();
	});

	it("follows the speed of the replay", async () => {
		const { c, el } = setUp(2000);
		c.setRate(2);
		await pass(200);
		c.play();
		await pass(2000);
		expect(Math.abs(el.currentTime - history.shownAt(c.now()).position / 1e6)).toBeLessThan(0.1);
		c.close();
	});
});

describe("a recorded face or voice", () => {
	class Held implements Buffered {
		slots: Slot[] = [{ id: "a", start: 3000, end: 8000, state: "done", tries: 0 }];
		buffered: Interval[] = [{ from: 3000, to: 8000 }];
		aimed = -1;
		closed = false;
		aim(t: number) {
			this.aimed = t;
		}
		close() {
			this.closed = true;
		}
	}
	const setUp = (start: number, el = new SimulatedMedia({ duration: 31 })) => {
		const c = new Conductor(history, start);
		const held = new Held();
		const refused = vi.fn();
		const part = new TrackPart(el, held, refused);
		c.add(part);
		return { c, el, held, part, refused };
	};

	it("plays at session time, and is not there before and after", async () => {
		const { c, el, held, part } = setUp(2000);
		await pass(200);
		expect(part.there.value).toBe(false);
		expect(el.currentTime).toBe(3); // ready where it begins
		c.play();
		await pass(3000);
		expect(part.there.value).toBe(true);
		expect(held.aimed).toBeGreaterThan(4900);
		expect(Math.abs(el.currentTime * 1000 - c.now())).toBeLessThan(50);
		await pass(4000);
		expect(part.there.value).toBe(false);
		expect(el.paused).toBe(true);
		c.close();
		expect(held.closed).toBe(true);
	});

	it("keeps its picture over a stutter, and not over a gap that is to be seen", async () => {
		for (const [gap, kept] of [
			[1400, true],
			[1600, false],
		] as const) {
			const { c, held, part } = setUp(4000);
			held.buffered = [
				{ from: 3000, to: 5000 },
				{ from: 5000 + gap, to: 8000 },
			];
			await pass(200);
			c.play();
			await pass(500);
			expect(part.there.value).toBe(true);
			await pass(1000);
			expect(c.now()).toBeGreaterThan(5200);
			expect(part.there.value).toBe(kept);
			await pass(1500);
			expect(part.there.value).toBe(true);
			c.close();
		}
	});

	it("makes the clock wait while it is on its way, and not where it failed", async () => {
		const { c, held, part } = setUp(4000);
		held.buffered = [];
		held.slots[0]!.state = "loading";
		c.play();
		await pass(500);
		expect([part.waits(), c.now()]).toEqual([true, 4000]);
		held.slots[0]!.state = "failed";
		await pass(500);
		expect(part.waits()).toBe(false);
		expect(c.now()).toBeGreaterThan(4300);
		c.close();
	});

	it("makes the clock wait until it shows what a seek went to, and so does not seek again to catch up", async () => {
		const { c, el } = setUp(3500, new SimulatedMedia({ duration: 31, seekTakes: 400 }));
		await pass(500);
		c.play();
		await pass(1000);
		expect(c.now()).toBeGreaterThan(4400);
		el.log.length = 0;
		c.seek(6000);
		await pass(390);
		expect(c.now()).toBe(6000);
		await pass(500);
		expect(c.now()).toBeGreaterThan(6300);
		expect(Math.abs(el.currentTime * 1000 - c.now())).toBeLessThan(60);
		expect(el.log.filter((l) => l.startsWith("seek"))).toEqual(["seek 6.0000"]);
		c.close();
	});

	it("goes on without sound where the browser refuses it, and with sound after a press", async () => {
		const el = new SimulatedMedia({ duration: 31, refusesSound: true });
		const { c, refused } = setUp(4000, el);
		c.play();
		await pass(1000);
		expect(refused).toHaveBeenCalled();
		expect([el.muted, el.paused]).toEqual([true, false]);
		c.unmute();
		expect(el.muted).toBe(false);
		c.close();
	});
});
