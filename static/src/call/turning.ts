/**
 * The page turns to the conversation at a pause, and back to the clip after it. Drawing all that takes time, which on a small machine the
 * player needs for stopping or starting with the others: so the player hears of it at once, and the page turns when the clip stands, or is
 * under way.
 */
import type { Event, Playback } from "../event.gen.ts";

/** After the clip stopped, ms: by then its frame is on the screen. */
const AFTER_STOP = 150;
/** After the clip began to play, ms: by then it is in step. */
const AFTER_START = 1000;
/** How the clip goes on after a pause is told right after the pause's end, ms. */
const SOON = 100;
/** What is further off than this is not waited for, ms. */
const MOST = 1000;

export interface Turned {
	/** Session time now, ms. */
	now(): number;
	/** The player is to follow this from its time on. */
	expect(playback: Playback): void;
	/** The pause is over, though the page shows it for a moment more. */
	leave(): void;
	/** What was kept back, in order. */
	letIn(events: Event[]): void;
}

export class PageTurn {
	#of: Turned;
	#kept: Event[] = [];
	#timer: ReturnType<typeof setTimeout> | undefined;

	constructor(of: Turned) {
		this.#of = of;
	}

	/** Whether an event is kept back. What comes after one that is kept back is, too, up to the next pause. */
	keeps(e: Event): boolean {
		if (e.type === "hold.began" && this.#kept.length > 0) this.#letIn();
		const keeping = this.#timer !== undefined;
		if (keeping) this.#kept.push(e);
		const wait = this.#wait(e);
		if (wait === null) return keeping;
		if (!keeping) this.#kept.push(e);
		clearTimeout(this.#timer);
		this.#timer = setTimeout(() => this.#letIn(), wait);
		return true;
	}

	/** Forgets what was kept back: all is told anew. */
	forget(): void {
		clearTimeout(this.#timer);
		this.#timer = undefined;
		this.#kept = [];
	}

	/** For how long the page is to wait because of an event, ms; null: not because of this one. */
	#wait(e: Event): number | null {
		switch (e.type) {
			case "hold.ended":
				this.#of.leave();
				return SOON;
			case "hold.began":
				return this.#until(e.data.hold.began, AFTER_STOP, e.data.playback);
			case "playback.changed":
				if (this.#timer === undefined) return null;
				if (e.data.playback.mode !== "playing") return 0;
				return this.#until(e.data.playback.at, AFTER_START, e.data.playback) ?? 0;
		}
		return null;
	}

	#until(at: number, after: number, playback: Playback): number | null {
		const wait = at - this.#of.now();
		if (wait <= 0 || wait > MOST) return null;
		this.#of.expect(playback);
		return wait + after;
	}

	#letIn(): void {
		const kept = this.#kept;
		this.forget();
		this.#of.letIn(kept);
	}
}
