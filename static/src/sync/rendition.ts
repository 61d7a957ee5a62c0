/**
 * Which size of the clip a place can have, from what its element shows: whether the clip arrives faster than it plays, and whether the
 * machine can show it. Pure; it is told once a second.
 */

import { bufferedTo } from "./telling.ts";

export type Rendition = "720p" | "360p";

export interface Sample {
	/** Nothing may change now: people look at a pause's frame, or nothing can be fetched anyway. */
	held: boolean;
	/** The clip is to move now. */
	moving: boolean;
	/** It is to move in a moment. */
	due: boolean;
	/** It cannot, for want of data. */
	starved: boolean;
	/** Seconds that have arrived beyond where it is. */
	ahead: number;
	/** All that comes has arrived. */
	whole: boolean;
	/** Part of the pictures of the last second that were not shown in time; 0 where nobody looks. */
	dropped: number;
}

const STARVED = 2; // samples in a row without data
const SHORT = 3; // seconds ahead: less than that, and getting less...
const SHRINKS = 3; // ...for so many samples
const SLOW_START = 4; // samples in which a start waits for data
const DROPPED = 0.3;
const DROPS = 5; // samples in a row with so many pictures lost
const PLENTY = 8; // seconds ahead; browsers fetch ten or so
const TRY_AGAIN = 30; // samples until the larger one is tried again, doubled each time

export class Renditions {
	#now: Rendition;
	#starved = 0;
	#shrinks = 0;
	#waits = 0;
	#drops = 0;
	#last = Number.POSITIVE_INFINITY; // seconds ahead
	#patience = TRY_AGAIN;
	#since = 0;
	#slowMachine = false;

	constructor(first: Rendition) {
		this.#now = first;
	}

	get now(): Rendition {
		return this.#now;
	}

	/** Gives which one it is to be from now on. */
	look(s: Sample): Rendition {
		this.#since++;
		if (s.held) return this.#now;
		this.#count(s);
		if (this.#drops >= DROPS) this.#slowMachine = true;
		if (this.#now === "720p") {
			if (this.#slowNetwork() || (this.#slowMachine && !s.moving)) this.#become("360p");
		} else if (this.#mayTryAgain(s)) {
			this.#patience *= 2;
			this.#become("720p");
		}
		return this.#now;
	}

	#count(s: Sample): void {
		const short = !s.whole && s.ahead < SHORT;
		this.#starved = s.moving && s.starved ? this.#starved + 1 : 0;
		this.#shrinks = s.moving && short && s.ahead < this.#last ? this.#shrinks + 1 : 0;
		this.#waits = !s.moving && short ? this.#waits + 1 : 0;
		this.#drops = s.moving && !s.starved && s.dropped > DROPPED ? this.#drops + 1 : 0;
		this.#last = s.ahead;
	}

	#slowNetwork(): boolean {
		return this.#starved >= STARVED || this.#shrinks >= SHRINKS || this.#waits >= SLOW_START;
	}

	/** Only while the clip stands for a while, so that it keeps nobody from starting in time, and only where there was time to spare. */
	#mayTryAgain(s: Sample): boolean {
		return !this.#slowMachine && !s.moving && !s.due && this.#since >= this.#patience && (s.whole || s.ahead >= PLENTY);
	}

	#become(r: Rendition): void {
		this.#now = r;
		this.#since = this.#starved = this.#shrinks = this.#waits = this.#drops = 0;
		this.#last = Number.POSITIVE_INFINITY;
	}
}

/** What can be asked of the video element that shows the clip. */
export type Seen = Pick<HTMLVideoElement, "currentTime" | "duration" | "readyState" | "seeking" | "buffered"> & {
	getVideoPlaybackQuality?(): { droppedVideoFrames: number; totalVideoFrames: number };
};

const HAVE_FUTURE_DATA = 3;

/** Looks at an element once a second. */
export class Looker {
	#dropped = 0;
	#total = 0;

	look(el: Seen, now: Pick<Sample, "held" | "moving" | "due">, hidden: boolean): Sample {
		const end = bufferedTo(el, el.currentTime);
		return {
			...now,
			starved: el.readyState < HAVE_FUTURE_DATA,
			ahead: end - el.currentTime,
			whole: end >= el.duration - 0.5,
			dropped: hidden ? 0 : this.#lost(el),
		};
	}

	#lost(el: Seen): number {
		const q = el.getVideoPlaybackQuality?.();
		if (!q) return 0;
		const dropped = q.droppedVideoFrames - this.#dropped;
		const total = q.totalVideoFrames - this.#total;
		this.#dropped = q.droppedVideoFrames;
		this.#total = q.totalVideoFrames;
		return total > 0 && dropped >= 0 ? dropped / total : 0;
	}
}
