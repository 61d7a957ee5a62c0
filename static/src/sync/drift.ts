/**
 * What is done about an element that is not where the line is. Pure: told how far it is behind, it says by how much to change the speed,
 * or that only a jump helps. All times in milliseconds.
 *
 * Right after a start or a jump everybody is off by what that took, and looks: there few samples are believed, and the change of speed is
 * large and short. Later there is time.
 */

export interface Nudge {
	do: "nudge";
	factor: number;
	ms: number;
}
export type Move = Nudge | { do: "jump" };

interface Manner {
	/** So many samples, whose median is believed. */
	samples: number;
	/** A change of speed is to take so long... */
	within: number;
	/** ...and is at least and at most this part of the speed. */
	least: number;
	most: number;
	/** After a change of speed, before the next look. */
	silence: number;
	/** Further off than this, a jump is quicker. */
	jump: number;
}

const settling: Manner = { samples: 4, within: 240, least: 0.02, most: 0.4, silence: 100, jump: 250 };
const steady: Manner = { samples: 16, within: 800, least: 0.02, most: 0.12, silence: 300, jump: 600 };

const LATE = 15; // what starts vary by anyway
const CHANGE_TAKES = 75; // from a change of speed until it is heard and seen; a start takes it with it
const SETTLING = 2500; // after a start, at the longest
const DEAD_BAND = 6;
const DEAD_BAND_PITCHED = 20;
const PITCH_COST = 18; // where pitch is kept, a change of speed and back itself loses so much
const MOST_PITCHED = 0.08;
const NUDGE_MAX = 3000; // one at most; then look again
const JUMP_GAP = 1000; // at most one jump in this time; doubled with each that follows soon
const JUMP_GAP_MAX = 16_000;
const STARTS = 9; // as many are remembered: each waits for the next turn of the machine's sound, 10 to 23 ms, so few say little
const JUMP_PEACE = 20_000; // without a jump, after which a new one may come as soon as the first

export class Drift {
	#errors: number[] = [];
	#quietUntil = 0;
	#nudgeUntil = 0;
	#settlingUntil = Number.NEGATIVE_INFINITY;
	#speed = 1; // at which a late start is made up for
	#jumped = Number.NEGATIVE_INFINITY;
	#gap = JUMP_GAP;

	/** A line begins: whatever was before is no reason to wait with a jump. */
	begin(): void {
		this.#jumped = Number.NEGATIVE_INFINITY;
		this.#gap = JUMP_GAP;
	}

	/**
	 * The element has just been told to play. It is expected to be under way at a time, and should have been at another: who heard late of a
	 * start knows by how much they are behind, and need not look first.
	 */
	started(now: number, expected: number, due: number, pitched: boolean): Nudge | null {
		this.calm();
		this.#settlingUntil = now + SETTLING;
		this.#quietUntil = 0;
		const behind = expected - due;
		if (pitched || behind <= LATE || behind > settling.jump) return null;
		const by = Math.min(settling.most, behind / settling.within);
		this.#speed = 1 + by;
		return this.#nudge(expected, behind, by, CHANGE_TAKES);
	}

	/**
	 * Whether who makes up for a late start has come so near to the line that the rest is gained while the end of the change of speed takes
	 * effect: they were not as late as it seemed. Told so, the change is over.
	 */
	madeUp(now: number, behind: number): boolean {
		if (behind > (this.#speed - 1) * CHANGE_TAKES) return false;
		this.#end(now);
		return true;
	}

	/** What was seen counts no more; the element plays at the line's own speed. */
	calm(): void {
		this.#errors = [];
		this.#nudgeUntil = 0;
	}

	/** Whether the element is still getting in step after a start. */
	settling(now: number): boolean {
		return now < this.#settlingUntil;
	}

	/** A change of speed is over: the element is to play at the line's own speed again. */
	over(now: number): boolean {
		if (!this.#nudgeUntil || now < this.#nudgeUntil) return false;
		this.#end(now);
		return true;
	}

	#end(now: number): void {
		this.#quietUntil = now + this.#manner(now).silence;
		this.calm();
	}

	/** Takes a look; gives the error that is believed once it is known. */
	look(now: number, error: number): number | null {
		if (this.#nudgeUntil || now < this.#quietUntil) return null;
		this.#errors.push(error);
		if (this.#errors.length < this.#manner(now).samples) return null;
		const believed = median(this.#errors);
		this.#errors = [];
		return believed;
	}

	/** What is done about an error, if anything. */
	move(now: number, error: number, pitched: boolean): Move | null {
		const how = this.#manner(now);
		const off = Math.abs(error);
		if (off > how.jump && this.mayJump(now)) return { do: "jump" };
		if (off <= (pitched ? DEAD_BAND_PITCHED : DEAD_BAND)) {
			this.#settlingUntil = Number.NEGATIVE_INFINITY;
			return null;
		}
		const gain = pitched ? error + PITCH_COST : error;
		const by = clamp(Math.abs(gain) / how.within, how.least, pitched ? Math.min(how.most, MOST_PITCHED) : how.most);
		return this.#nudge(now, gain, by);
	}

	/**
	 * Another speed from a time on, for as long as it takes to gain so much. It is ended so much earlier as it begins sooner than its end
	 * takes effect.
	 */
	#nudge(from: number, gain: number, by: number, sooner = 0): Nudge {
		const ms = Math.min(NUDGE_MAX, Math.abs(gain) / by) - sooner;
		this.#nudgeUntil = from + ms;
		return { do: "nudge", factor: 1 + Math.sign(gain) * by, ms };
	}

	mayJump(now: number): boolean {
		return now >= this.#jumped + this.#gap;
	}

	jumped(now: number): void {
		const soon = now < this.#jumped + JUMP_PEACE;
		this.#gap = soon ? Math.min(2 * this.#gap, JUMP_GAP_MAX) : JUMP_GAP;
		this.#jumped = now;
		this.calm();
	}

	#manner(now: number): Manner {
		return this.settling(now) ? settling : steady;
	}
}

/** How long starting, stopping and seeking take on this machine, learned from those that were. */
export class Pace {
	#starts: number[] = [];
	#stops: number[] = [];
	#seeks: number[] = []; // to what was there
	#fetches: number[] = []; // to what had to be fetched first

	/** play() is called so long before the start. */
	get early(): number {
		return this.#starts.length > 0 ? clamp(median(this.#starts), 5, 400) : 75;
	}

	/** pause() is called so long before the stop: a page that comes late to it would be seen to step back to its frame. */
	get brake(): number {
		return this.#stops.length > 0 ? clamp(median(this.#stops), 0, 60) : 0;
	}

	/** A jump while the others play aims so far ahead: rather too far, since it waits there for them. */
	ahead(buffered: boolean): number {
		const [of, first] = buffered ? [this.#seeks, 150] : [this.#fetches, 300];
		return clamp(1.25 * (of.length > 0 ? Math.max(...of) : first) + this.early + 20, 100, 1500);
	}

	/** So long after play() the element was under way. */
	started(took: number): void {
		if (took > -100 && took < 1000) keep(this.#starts, took, STARTS);
	}

	/** An element that was to stop came so far past the place at which it was told to. */
	stopped(past: number): void {
		if (Math.abs(past) < 500) keep(this.#stops, past, 5);
	}

	/** A seek took so long until it could play. */
	sought(took: number, buffered: boolean): void {
		if (took < 1000) keep(buffered ? this.#seeks : this.#fetches, took, 3); // longer is for want of data
	}
}

function keep(list: number[], n: number, most: number): void {
	list.push(n);
	if (list.length > most) list.shift();
}

/** The middle of some numbers, sorted; of an even count, the mean of the two in the middle. */
export function median(of: number[]): number {
	const s = [...of].sort((a, b) => a - b);
	const mid = s.length >> 1;
	return s.length % 2 ? s[mid]! : (s[mid - 1]! + s[mid]!) / 2;
}

export function clamp(v: number, lo: number, hi: number): number {
	return Math.min(hi, Math.max(lo, v));
}
