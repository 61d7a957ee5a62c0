/**
 * The page turns to the conversation at a pause. Drawing all that takes time, which on a small machine the player needs for stopping with
 * the others: so the player hears of a pause at once, and the page turns when the clip stands. Back it turns at once: the room lets the
 * clip begin a moment later.
 */
import type { Event, Playback } from "../event.gen.ts";

/** After the clip stopped, ms: by then its frame is on the screen. */
const AFTER_STOP = 150;
/** What is further off than this is not waited for, ms. */
const MOST = 1000;

export interface Turned {
	/** Session time now, ms. */
	now(): number;
	/** The player is to follow this from its time on. */
	expect(playback: Playback): void;
	/** What was kept back, in order. */
	letIn(events: Event[]): void;
}

export class PageTurn {
	#of: Turned;
	#kept: Event[] = []; // a pause that begins in a moment, and what came after it
	#timer: ReturnType<typeof setTimeout> | undefined;

	constructor(of: Turned) {
		this.#of = of;
	}

	/** Whether an event is kept back. What comes after one that is kept back is, too, up to that pause's end or the next one. */
	keeps(e: Event): boolean {
		if (e.type === "hold.ended" || e.type === "hold.began") this.#letIn();
		if (e.type === "hold.began") this.#wait(e.data.hold.began, e.data.playback);
		if (this.#timer === undefined) return false;
		this.#kept.push(e);
		return true;
	}

	/** Forgets what was kept back: all is told anew. */
	forget(): void {
		clearTimeout(this.#timer);
		this.#timer = undefined;
		this.#kept = [];
	}

	#wait(began: number, playback: Playback): void {
		const wait = began - this.#of.now();
		if (wait > MOST) return;
		this.#of.expect(playback);
		this.#timer = setTimeout(() => this.#letIn(), Math.max(0, wait) + AFTER_STOP);
	}

	#letIn(): void {
		const kept = this.#kept;
		this.forget();
		if (kept.length > 0) this.#of.letIn(kept);
	}
}
