/**
 * The conversation's clock, and the players that keep to it. The clock is the master: it says the session time; clip,
 * faces and voices are followers. It waits a little for media that is on its way, never for media that does not exist.
 */
import { signal } from "@preact/signals";
import { Follower } from "../sync/follower.ts";
import { type Line, snap } from "../sync/line.ts";
import type { MediaLike } from "../sync/media.ts";
import type { History, Interval } from "./history.ts";
import { type Place, placeOf, type Slot } from "./window.ts";

/** Where the clock is: session time t (ms) at a moment of performance.now(). */
export interface Beat {
	t: number;
	at: number;
	moving: boolean;
	rate: number;
}

/** A player that keeps to the clock. */
export interface Part {
	/** Called at each change of the clock, and every TICK. */
	keep(beat: Beat, changed: boolean): void;
	/** Its media for this moment is on its way. */
	waits(): boolean;
	/** Sound was refused by the browser; a press lifts that. */
	unmute(): void;
	close(): void;
}

export type Mode = "conversation" | "clip";

export const RATES = [0.5, 0.75, 1, 1.25, 1.5, 2] as const;
const TICK = 50;
/** While it waits for media, it looks as often as this. */
const WAITING = 10;
/** How long the clock waits for media, and how long it then goes on without. */
const PATIENCE = 5000;
const WITHOUT = 10_000;
/** A stutter shorter than this does not stop the clock. */
const STUTTER = 600;

export class Conductor {
	/**
	 * Session time in ms, for what is drawn: it changes ten times a second, and when something happened. now() is exact.
	 */
	readonly time = signal(0);
	readonly playing = signal(false);
	/** Playing, but waiting for media. */
	readonly waiting = signal(false);
	readonly rate = signal<number>(1);
	readonly mode = signal<Mode>("conversation");
	readonly soundRefused = signal(false);
	#history: History;
	#parts = new Set<Part>();
	#t = 0;
	#since = 0;
	#moving = false;
	#loop: ReturnType<typeof setInterval>;
	#next: ReturnType<typeof setTimeout> | undefined;
	#waitedSince = 0;
	#withoutUntil = 0;

	constructor(history: History, start = 0) {
		this.#history = history;
		this.#t = this.#bounded(start);
		this.time.value = this.#t;
		this.#loop = setInterval(() => this.#tick(), TICK);
	}

	get duration(): number {
		return this.#history.duration;
	}

	/** Session time, ms. */
	now(): number {
		if (!this.#moving) return this.#t;
		return this.#bounded(this.#t + (performance.now() - this.#since) * this.rate.peek());
	}

	add(part: Part): () => void {
		this.#parts.add(part);
		part.keep(this.#beat(), true);
		return () => {
			this.#parts.delete(part);
			part.close();
		};
	}

	/** From the end it begins anew. */
	play(): void {
		if (this.playing.peek()) return;
		if (this.#t >= this.duration) this.#set(0);
		this.playing.value = true;
		this.#begin();
	}

	stop(): void {
		this.#set(this.now());
		this.playing.value = false;
		this.waiting.value = false;
		this.#tell();
	}

	toggle(): void {
		if (this.playing.peek()) this.stop();
		else this.play();
	}

	/** Goes to a session time; playing goes on from there. */
	seek(t: number): void {
		this.#set(t);
		this.#withoutUntil = 0;
		if (this.playing.peek()) this.#begin();
		else this.#tell();
	}

	setRate(rate: number): void {
		this.#t = this.now();
		this.#since = performance.now();
		this.rate.value = rate;
		this.#tell();
	}

	setMode(mode: Mode): void {
		this.mode.value = mode;
	}

	/** From a press: the browser lets sound be heard. */
	unmute(): void {
		this.soundRefused.value = false;
		for (const p of this.#parts) p.unmute();
	}

	close(): void {
		clearInterval(this.#loop);
		clearTimeout(this.#next);
		for (const p of this.#parts) p.close();
		this.#parts.clear();
	}

	#bounded(t: number): number {
		return Math.min(Math.max(0, Number.isFinite(t) ? t : 0), this.duration);
	}

	#set(t: number): void {
		this.#t = this.#bounded(t);
		this.#moving = false;
		this.time.value = this.#t;
	}

	#beat(): Beat {
		return { t: this.now(), at: performance.now(), moving: this.#moving, rate: this.rate.peek() };
	}

	#tell(): void {
		const beat = this.#beat();
		for (const p of this.#parts) p.keep(beat, true);
	}

	/** Plays as soon as what belongs to this moment is there. */
	#begin(): void {
		this.#tell();
		this.#waitedSince = performance.now();
		if (this.#late()) {
			this.waiting.value = true;
			this.#expect(this.#t);
		} else this.#run();
	}

	#run(): void {
		this.waiting.value = false;
		this.#waitedSince = 0;
		this.#moving = true;
		this.#since = performance.now();
		this.#tell();
	}

	#late(): boolean {
		for (const p of this.#parts) if (p.waits()) return true;
		return false;
	}

	#tick(): void {
		const beat = this.#beat();
		for (const p of this.#parts) p.keep(beat, false);
		if (this.playing.peek()) {
			if (this.#moving) this.#goOn(beat.t);
			else this.#wait();
		}
		const t = this.now();
		const shown = this.time.peek();
		if (Math.abs(t - shown) >= 100 || t === this.duration || this.#history.momentAfter(shown) <= t) this.time.value = t;
		this.#expect(t);
	}

	/** What happened before the next tick is shown when it happened, and what comes to be there is not waited for any longer. */
	#expect(t: number): void {
		clearTimeout(this.#next);
		if (this.waiting.peek()) this.#next = setTimeout(() => this.#tick(), WAITING);
		if (!this.#moving) return;
		const wait = (this.#history.momentAfter(t) - t) / this.rate.peek();
		if (wait < TICK) this.#next = setTimeout(() => this.#tick(), Math.ceil(wait));
	}

	#wait(): void {
		const now = performance.now();
		if (this.#late() && now - this.#waitedSince < PATIENCE) {
			this.waiting.value = true;
			return;
		}
		if (this.#late()) this.#withoutUntil = now + WITHOUT;
		this.#run();
	}

	#goOn(t: number): void {
		if (t >= this.duration) this.stop();
		else if (this.mode.peek() === "clip" && this.#leaps(t)) return;
		else this.#mind(t);
	}

	/** By the clip: over what stood to where the clip went on, or to the end. */
	#leaps(t: number): boolean {
		const next = this.#history.runFrom(t);
		if (next === null) this.stop();
		else if (next > t + TICK) this.seek(next);
		else return false;
		return true;
	}

	/** Stands while media of this moment is late, but for a stutter. */
	#mind(t: number): void {
		const now = performance.now();
		if (!this.#late() || now < this.#withoutUntil) this.#waitedSince = 0;
		else if (this.#waitedSince === 0) this.#waitedSince = now;
		else if (now - this.#waitedSince > STUTTER) {
			this.#set(t);
			this.#waitedSince = now;
			this.waiting.value = true;
			this.#tell();
		}
	}
}

/** Followers count in the time of performance.now(). */
const now = () => performance.now();

const HAVE_CURRENT_DATA = 2;
const HAVE_FUTURE_DATA = 3;

/** The clip, as everybody saw it: it runs where it ran, and stands on the exact frame where it stood. */
export class ClipPart implements Part {
	#el: MediaLike & { error?: unknown };
	#history: History;
	#follower: Follower;
	#seq = 0;
	#piece = "";
	#moves = false;

	constructor(el: MediaLike, history: History, onRefused: () => void) {
		this.#el = el;
		this.#history = history;
		this.#follower = new Follower(el, {
			now,
			rate: history.end.clip ?? undefined,
			onStatus: (s) => s.soundRefused && onRefused(),
		});
	}

	keep(beat: Beat, changed: boolean): void {
		const piece = this.#history.pieceAt(beat.t);
		const clip = this.#history.end.clip;
		if (!piece || !clip) return;
		const key = `${piece.from} ${piece.a}`;
		if (!changed && key === this.#piece) return;
		this.#piece = key;
		this.#moves = beat.moving && piece.rate > 0;
		const at = this.#history.shownAt(beat.t).position;
		const still = { seq: ++this.#seq, moving: false, position: snap(at, clip), at: beat.at, rate: 1, stop: null };
		const line: Line = { ...still, moving: true, position: at, rate: piece.rate * beat.rate, stop: piece.b };
		this.#follower.follow(this.#moves ? line : still);
	}

	waits(): boolean {
		const el = this.#el;
		if (el.error) return false;
		return el.seeking || el.readyState < (this.#moves ? HAVE_FUTURE_DATA : HAVE_CURRENT_DATA);
	}

	unmute(): void {
		this.#follower.setMuted(false);
	}

	close(): void {
		this.#follower.close();
	}
}

function standIn(gap: { since: number; next: number | null }, t: number): number {
	return gap.next ?? (Number.isFinite(gap.since) ? Math.max(0, gap.since - 100) : t);
}

/** What a TrackPart needs of the buffer. */
export interface Buffered {
	readonly slots: Slot[];
	readonly buffered: Interval[];
	aim(t: number): void;
	close(): void;
}

/** A picture is kept over a gap shorter than this: a network that stuttered, not a camera that was covered. */
const BLINK = 1500;

/** One member's recorded camera, screen or voice. Its media time is session time. */
export class TrackPart implements Part {
	/** There is a picture, or a voice, at this moment. */
	readonly there = signal(false);
	#el: MediaLike & { error?: unknown };
	#buffer: Buffered;
	#follower: Follower;
	#muted: boolean;
	#seq = 0;
	#place = "";
	#waits = false;
	/** It is to stand on media that is there. */
	#stands = false;

	constructor(el: MediaLike, buffer: Buffered, onRefused: () => void, muted = false) {
		this.#el = el;
		this.#buffer = buffer;
		this.#muted = muted;
		el.muted = muted;
		this.#follower = new Follower(el, { now, onStatus: (s) => s.soundRefused && onRefused() });
	}

	keep(beat: Beat, changed: boolean): void {
		this.#buffer.aim(beat.t);
		const place = placeOf(this.#buffer.buffered, this.#buffer.slots, beat.t);
		this.#waits = place.at === "waiting";
		this.#stands = place.at === "media" && !beat.moving;
		this.#show(place, beat.t);
		const key =
			place.at === "media"
				? `media ${Math.round(place.stretch.from)}`
				: `${place.at} ${"next" in place ? place.next : ""}`;
		if (!changed && key === this.#place) return;
		this.#place = key;
		this.#follower.follow(this.#line(place, beat));
	}

	/** In a gap it stands ready where the next media begins, after the last where that ended. */
	#line(place: Place, beat: Beat): Line {
		const moving = place.at === "media" && beat.moving;
		const t =
			place.at === "media"
				? Math.max(beat.t, place.stretch.from)
				: place.at === "gap"
					? standIn(place, beat.t)
					: beat.t;
		const at = moving ? beat.at + (t - beat.t) / beat.rate : beat.at;
		return { seq: ++this.#seq, moving, position: t * 1000, at, rate: moving ? beat.rate : 1, stop: null };
	}

	/** While it seeks within what is there, the picture of before stays. */
	#show(place: Place, t: number): void {
		const before = this.there.peek() && !this.#el.error;
		const drawn = this.#el.readyState >= HAVE_CURRENT_DATA;
		if (place.at === "media") this.there.value = !this.#el.error && (before || drawn);
		else if (place.at === "waiting") this.there.value = before && drawn;
		else {
			const short = place.next !== null && place.next - place.since < BLINK && t >= place.since;
			this.there.value = short && !this.#el.error && (before || drawn);
		}
	}

	/** Before the clock starts, also for the element to show what is there: else it would seek again, to catch up. */
	waits(): boolean {
		const el = this.#el;
		if (el.error) return false;
		return this.#waits || (this.#stands && (el.seeking || el.readyState < HAVE_CURRENT_DATA));
	}

	unmute(): void {
		if (!this.#muted) this.#follower.setMuted(false);
	}

	close(): void {
		this.#follower.close();
		this.#buffer.close();
	}
}
