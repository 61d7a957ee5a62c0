import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Event, Playback } from "../event.gen.ts";
import { PageTurn } from "./turning.ts";

beforeEach(() => {
	vi.useFakeTimers();
	vi.setSystemTime(0);
});
afterEach(() => vi.useRealTimers());

const began = (at: number) =>
	({ type: "hold.began", data: { hold: { began: at }, playback: { mode: "holding", at } } }) as unknown as Event;
const ended = { type: "hold.ended", data: { hold: "h" } } as unknown as Event;
const note = { type: "note.added", data: {} } as unknown as Event;

function setUp() {
	const told: Playback[] = [];
	const turned: [number, string][] = [];
	const turn = new PageTurn({
		now: () => Date.now(),
		expect: (p) => told.push(p),
		letIn: (events) => turned.push(...events.map((e) => [Date.now(), e.type] as [number, string])),
	});
	return { turn, told, turned };
}

describe("the page turns", () => {
	it("when the clip stands at a pause, of which the player hears at once", () => {
		const { turn, told, turned } = setUp();
		expect(turn.keeps(note)).toBe(false);
		expect(turn.keeps(began(300))).toBe(true);
		expect(turn.keeps(note)).toBe(true);
		expect(told).toEqual([{ mode: "holding", at: 300 }]);
		vi.advanceTimersByTime(440);
		expect(turned).toEqual([]);
		vi.advanceTimersByTime(20);
		expect(turned).toEqual([
			[450, "hold.began"],
			[450, "note.added"],
		]);
		expect(turn.keeps(note)).toBe(false);
	});

	it("a moment after a pause of which it heard late, so that the player stops first", () => {
		const { turn, told, turned } = setUp();
		expect(turn.keeps(began(-400))).toBe(true);
		expect(told).toEqual([{ mode: "holding", at: -400 }]);
		vi.advanceTimersByTime(150);
		expect(turned).toEqual([[150, "hold.began"]]);
	});

	it("at once at a pause that is far away", () => {
		const { turn, told } = setUp();
		expect(turn.keeps(began(2000))).toBe(false);
		expect(told).toEqual([]);
	});

	it("back at once, also from a pause that has just begun", () => {
		const { turn, turned } = setUp();
		expect(turn.keeps(ended)).toBe(false);
		turn.keeps(began(300));
		expect(turn.keeps(ended)).toBe(false);
		expect(turned).toEqual([[0, "hold.began"]]);
		vi.advanceTimersByTime(5000);
		expect(turned.length).toBe(1);
	});

	it("to a pause before it turns to the next one", () => {
		const { turn, turned } = setUp();
		turn.keeps(began(300));
		expect(turn.keeps(began(400))).toBe(true);
		expect(turned).toEqual([[0, "hold.began"]]);
		vi.advanceTimersByTime(550);
		expect(turned.at(-1)).toEqual([550, "hold.began"]);
	});

	it("not at all for what was told before a new connection", () => {
		const { turn, turned } = setUp();
		turn.keeps(began(300));
		turn.forget();
		vi.advanceTimersByTime(5000);
		expect(turned).toEqual([]);
		expect(turn.keeps(note)).toBe(false);
	});
});
