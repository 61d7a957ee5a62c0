/** What a follower tells of its element: that it could play from the line's place, and that the frame of a still line is on the screen. */
import { Painted } from "./display.ts";
import { frameAt, type Line } from "./line.ts";
import type { FollowerOptions, MediaLike } from "./media.ts";

const READY_AHEAD = 2.5; // seconds that must be buffered
const CONFIRM_AGAIN = 1000; // ms
const VAIN_SEEKS = 2; // after so many the browser's frames are of another clock, and the element's time has to do
const HAVE_CURRENT_DATA = 2;
const HAVE_FUTURE_DATA = 3;

export class Telling {
	#el: MediaLike;
	#o: FollowerOptions;
	#painted: Painted | null;
	#shownSeq = -1;
	#readySeq = -1;
	#seekSince = 0;
	#seekTo = -1;
	#vainSeeks = 0; // to the place of a still line, after which another frame was told

	constructor(el: MediaLike, options: FollowerOptions, onPainted: () => void) {
		this.#el = el;
		this.#o = options;
		this.#painted = options.display ? new Painted(options.display, onPainted) : null;
	}

	/** All is told as if for the first time. */
	again(): void {
		this.#shownSeq = -1;
		this.#readySeq = -1;
	}

	/** The element does not stay on the frame on which it is. */
	elsewhere(): void {
		this.#painted?.forget();
	}

	/** Goes to a still line's place, µs, unless the element is there or on its way. */
	seek(us: number): void {
		this.#vainSeeks = 0;
		const to = us / 1e6;
		const there = Math.abs(this.#el.currentTime - to) < 0.0005;
		if (there && (this.#el.seeking ? this.#seekTo === to : this.#el.readyState > 0)) return;
		this.seekAgain(to);
	}

	/** Goes to a place, seconds. */
	seekAgain(to: number): void {
		this.#painted?.forget();
		this.#seekSince = this.#o.now();
		this.#seekTo = to;
		this.#el.currentTime = to;
	}

	ready(line: Line, moving: boolean): void {
		if (this.#readySeq === line.seq || this.#el.seeking || this.#el.readyState < HAVE_FUTURE_DATA) return;
		const from = this.#el.currentTime;
		if (!moving && Math.abs(from - line.position / 1e6) > 0.05) return;
		const need = Math.min(from + READY_AHEAD, (this.#el.duration || 0) - 0.1);
		if (bufferedTo(this.#el, from) < need) return;
		this.#readySeq = line.seq;
		this.#o.onReady?.(line.seq);
	}

	/** Looks whether the place at which a line is still, µs, is on the screen; seeks again what was lost. */
	shown(line: Line, place: number): void {
		const el = this.#el;
		const { rate } = this.#o;
		const off = el.seeking || Math.abs(el.currentTime * 1e6 - place) > 1000;
		const there = !off && el.readyState >= HAVE_CURRENT_DATA;
		if (there && !el.paused) el.pause();
		const frame = rate ? frameAt(el.currentTime * 1e6, rate) : 0;
		const told = this.#shownSeq === line.seq;
		const waited = this.#o.now() > this.#seekSince + CONFIRM_AGAIN;
		const heeded = !waited || this.#vainSeeks < VAIN_SEEKS;
		const painted = there && !told && rate && this.#painted ? this.#painted.look(el, frame, rate, heeded) : "yes";
		// A seek that was lost (a source that was just set, a decoder that gave up) is tried again.
		if ((off && el.readyState > 0) || painted === "no") {
			if (!waited) return;
			if (painted === "no") this.#vainSeeks++;
			this.seekAgain(place / 1e6);
			return;
		}
		if (!there || told || painted === "soon" || line.moving) return;
		this.#shownSeq = line.seq;
		this.#o.onShown?.(line.seq, frame);
	}
}

/** Up to where an element could play from a time without waiting, seconds. */
export function bufferedTo(el: Pick<MediaLike, "buffered">, from: number): number {
	for (let i = 0; i < el.buffered.length; i++) {
		if (el.buffered.start(i) <= from + 0.1 && el.buffered.end(i) >= from) return el.buffered.end(i);
	}
	return from;
}
