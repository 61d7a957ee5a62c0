/**
 * A Follower keeps one media element on a line: it starts with everybody, stays within a few milliseconds by small
 * changes of speed, stops on the exact frame by itself, and says which frame is shown. It knows no room and no wire.
 *
 * It steers by currentTime, not by requestVideoFrameCallback, whose frames stick to a cadence up to a frame off the
 * media clock; and it never relies on that callback alone, since a hidden tab gets none.
 */
import { type Display, Painted } from "./display.ts";
import { boundedAt, type FrameRate, frameAt, frameMiddle, frameStart, type Line, positionAt, timeOf } from "./line.ts";

/** What a follower needs of a media element; HTMLVideoElement and HTMLAudioElement have it. */
export interface MediaLike {
	currentTime: number;
	playbackRate: number;
	preservesPitch: boolean;
	muted: boolean;
	readonly paused: boolean;
	readonly seeking: boolean;
	readonly ended: boolean;
	readonly readyState: number;
	readonly duration: number;
	readonly buffered: { length: number; start(i: number): number; end(i: number): number };
	play(): Promise<void>;
	pause(): void;
	addEventListener(type: string, listener: () => void): void;
	removeEventListener(type: string, listener: () => void): void;
	requestVideoFrameCallback?(run: (now: number, frame: { mediaTime: number }) => void): number;
	cancelVideoFrameCallback?(id: number): void;
}

export interface FollowerStatus {
	/** Playing along: in step, getting there, or short of data. */
	state: "still" | "starting" | "playing" | "catching-up";
	/** The browser refused sound: playing muted, in step, until unmute() is called from a click. */
	soundRefused: boolean;
	/** Latest median distance to the line, ms; positive is behind. */
	error: number;
}

export interface FollowerOptions {
	/** Session time, ms. */
	now: () => number;
	/** The clip's frame rate; without one there are no frames, only times (a recorded voice). */
	rate?: FrameRate;
	/** The page that the element is on; without it, the element's own time is taken for what is seen. */
	display?: Display;
	/** A still line's place is shown: its frame, painted, for the line with this seq. Called once for each. */
	onShown?: (seq: number, frame: number) => void;
	/** The element could play from the line's place. Called once for each seq. */
	onReady?: (seq: number) => void;
	onStatus?: (s: FollowerStatus) => void;
}

// Milliseconds, if not said otherwise. Measured in three Chromium browsers with added delay and jitter.
const TICK = 50; // between two looks at currentTime
const SAMPLES = 8; // whose median is believed
const DEAD_BAND = 6;
const DEAD_BAND_PITCHED = 30; // where pitch is kept, each change of speed itself costs some 20 ms
const NUDGE = 0.02;
const NUDGE_STRONG = 0.08;
const STRONG_ABOVE = 60;
const NUDGE_MAX = 3000; // one nudge at most; then look again
const SILENCE = 300; // after a nudge, before the next look
const SEEK_ABOVE = 1200;
const SEEK_ABOVE_AFTER_START = 200; // just after a start or a jump nobody has settled yet: one more seek is quicker
const SETTLING = 2500;
const CATCHING_UP = 350; // further off than this is told
const SEEK_GAP = 1000; // at most one correcting seek in this time
const AHEAD = 120; // a correcting seek aims this far ahead; what it really took is learned
const EARLY = 25; // play() is called this much before the start; what it really takes is learned
const READY_AHEAD = 2.5; // seconds that must be buffered
const CONFIRM_AGAIN = 1000;
const VAIN_SEEKS = 2; // after so many the browser's frames are of another clock, and the element's time has to do
const ELSEWHERE = 2; // seconds; a picture so far from the element's time is of a hidden tab, or of before a jump
const HAVE_CURRENT_DATA = 2;
const HAVE_FUTURE_DATA = 3;

export class Follower {
	#el: MediaLike;
	#o: FollowerOptions;
	#painted: Painted | null;
	#line: Line | null = null;
	#before: Line | null = null; // still played, until #line begins
	#loop: ReturnType<typeof setInterval>;
	#timer: ReturnType<typeof setTimeout> | undefined; // for the next start or stop
	#frameCallback = 0;
	#stoppedAt: number | null = null; // the own stop of a moving line was reached, µs
	#shownSeq = -1;
	#readySeq = -1;
	#errors: number[] = [];
	#quietUntil = 0;
	#nudgeUntil = 0;
	#seekAfter = 0; // no correcting seek before
	#settledAt = 0;
	#aimed = false; // the latest jump was a correcting seek, whose outcome is learned from
	#ahead = AHEAD;
	#early = EARLY;
	#startedCold = false;
	#starvedSince = 0;
	#seekSince = 0;
	#seekTo = -1;
	#vainSeeks = 0; // to the place of a still line, after which another frame was told
	#wantMuted = false;
	#refused = false;
	#status: FollowerStatus = { state: "still", soundRefused: false, error: 0 };

	constructor(el: MediaLike, options: FollowerOptions) {
		this.#el = el;
		this.#o = options;
		this.#painted = options.display ? new Painted(options.display, () => this.#tick()) : null;
		for (const [type, run] of this.#listeners) el.addEventListener(type, run);
		this.#loop = setInterval(() => this.#tick(), TICK);
	}

	#listeners: [string, () => void][] = [
		["seeked", () => this.#tick()],
		["canplay", () => this.#tick()],
		["loadeddata", () => this.#tick()],
		["progress", () => this.#tick()],
		["loadedmetadata", () => this.#jumpAgain()],
	];

	/** Stops following and leaves the element paused. */
	close(): void {
		clearInterval(this.#loop);
		clearTimeout(this.#timer);
		this.#painted?.forget();
		for (const [type, run] of this.#listeners) this.#el.removeEventListener(type, run);
		if (this.#frameCallback) this.#el.cancelVideoFrameCallback?.(this.#frameCallback);
		this.#line = null;
		this.#el.pause();
	}

	/** Follows a line. An older one than that followed is ignored; the same seq again may change the stop. */
	follow(line: Line): void {
		const old = this.#line;
		if (old && line.seq < old.seq) return;
		if (old && line.seq === old.seq) {
			this.#line = line;
			if (this.#stoppedAt !== null && this.#stoppedAt !== line.stop) {
				this.#stoppedAt = null;
				this.#begin();
			}
			this.#arm();
			return;
		}
		const now = this.#o.now();
		// A line that begins in a moment: until then everybody stays on the one before.
		this.#before = old?.moving && old.at <= now && line.at > now && this.#stoppedAt === null ? old : null;
		this.#line = line;
		this.#stoppedAt = null;
		if (!this.#before) this.#begin();
		this.#arm();
		this.#tick();
	}

	/** Forgets the line: the next one counts, whatever its seq. For a new connection, where all is told anew. */
	reset(): void {
		this.#line = null;
		this.#before = null;
		this.#stoppedAt = null;
		this.#shownSeq = -1;
		this.#readySeq = -1;
		clearTimeout(this.#timer);
	}

	/** Says again which frame is shown and that the element is ready, as if for the first time. */
	tellAgain(): void {
		this.#shownSeq = -1;
		this.#readySeq = -1;
		this.#tick();
	}

	/** Where the element should be now, µs. */
	target(now = this.#o.now()): number {
		if (!this.#line) return this.#el.currentTime * 1e6;
		if (this.#stoppedAt !== null) return this.#stoppedAt;
		if (!this.#before || now >= this.#line.at) return boundedAt(this.#line, now);
		const p = boundedAt(this.#before, now);
		return this.#line.moving ? p : Math.min(p, Math.max(this.#line.position, this.#before.position));
	}

	/**
	 * Clip time of the picture that is seen here, µs: while it plays, the middle of the frame that is displayed, which trails the line
	 * and the element's own time on a slow machine. Where the browser does not tell, the line counts.
	 */
	shown(): number {
		const rate = this.#o.rate;
		const us = this.#moving() && rate ? (this.#o.display?.frameOf(this.#el) ?? null) : null;
		if (!rate || us === null || Math.abs(us / 1e6 - this.#el.currentTime) > ELSEWHERE) return this.target();
		return frameMiddle(frameAt(us + 1, rate), rate); // a frame begins at a rounded time
	}

	/** Sound on or off, as the person wants it. Call it from a click to lift a refusal of the browser. */
	setMuted(muted: boolean): void {
		this.#wantMuted = muted;
		this.#refused = false;
		this.#el.muted = muted;
		if (!muted && !this.#el.paused) void this.#play();
		this.#tell({ soundRefused: false });
	}

	get status(): FollowerStatus {
		return this.#status;
	}

	// ---- the line

	#moving(): boolean {
		if (this.#stoppedAt !== null) return false;
		return this.#before !== null || (this.#line?.moving ?? false);
	}

	/** The line's beginning takes effect: get to its place, paused or playing. */
	#begin(): void {
		const line = this.#line;
		if (!line) return;
		this.#calm();
		this.#settledAt = this.#o.now() + SETTLING;
		this.#el.preservesPitch = line.rate !== 1;
		this.#el.playbackRate = line.rate;
		if (!line.moving) {
			this.#still(line.position);
			return;
		}
		const now = this.#o.now();
		if (now < line.at - this.#early) {
			this.#startedCold = true;
			this.#still(line.position);
			this.#tell({ state: "starting" });
		} else if (this.#el.paused || Math.abs(this.#errorNow()) > SEEK_ABOVE_AFTER_START) {
			this.#run();
		}
	}

	/** Plays from where the line is; a seek first where the element is elsewhere. */
	#run(): void {
		this.#painted?.forget();
		const error = this.#errorNow();
		if (Math.abs(error) > SEEK_ABOVE_AFTER_START) this.#jumpAhead();
		void this.#play();
		this.#watchFrames();
		this.#calm();
		this.#quietUntil = this.#o.now() + 150; // the element is only getting going
		this.#tell({ state: Math.abs(error) > CATCHING_UP ? "catching-up" : "playing" });
	}

	/** Pauses on a place, µs. */
	#still(us: number): void {
		this.#vainSeeks = 0;
		this.#el.pause();
		this.#seek(us);
		this.#tell({ state: "still", error: 0 });
	}

	#seek(us: number): void {
		const to = us / 1e6;
		const there = Math.abs(this.#el.currentTime - to) < 0.0005;
		if (there && (this.#el.seeking ? this.#seekTo === to : this.#el.readyState > 0)) return;
		this.#seekAgain(to);
	}

	#seekAgain(to: number): void {
		this.#painted?.forget();
		this.#seekSince = this.#o.now();
		this.#seekTo = to;
		this.#el.currentTime = to;
	}

	/** The element was loaded anew: it is at its beginning. */
	#jumpAgain(): void {
		if (!this.#line) return;
		this.#shownSeq = -1;
		this.#readySeq = -1;
		if (this.#moving() && this.#o.now() >= this.#line.at - this.#early) this.#run();
		else this.#still(this.target());
	}

	#jumpAhead(): void {
		const now = this.#o.now();
		let to = this.target(now + this.#ahead) / 1e6;
		if (Number.isFinite(this.#el.duration)) to = Math.min(to, this.#el.duration);
		this.#seekAfter = now + SEEK_GAP;
		this.#seekSince = now;
		this.#seekTo = to;
		this.#aimed = true;
		this.#startedCold = false;
		this.#el.currentTime = to;
	}

	async #play(): Promise<void> {
		try {
			await this.#el.play();
		} catch (e) {
			if ((e as Error)?.name !== "NotAllowedError" || this.#el.muted) return;
			this.#refused = true;
			this.#el.muted = true;
			this.#tell({ soundRefused: true });
			if (this.#moving()) await this.#el.play().catch(() => {});
		}
	}

	// ---- timers and frames

	/** Sets the timer for what comes next: the switch to the line, its start, or its stop. */
	#arm(): void {
		clearTimeout(this.#timer);
		const due = this.#due();
		if (due === null) return;
		const wait = Math.max(0, due - this.#o.now());
		this.#timer = setTimeout(() => this.#onTime(), Math.min(wait, 60_000));
	}

	#due(): number | null {
		const line = this.#line;
		if (!line || this.#stoppedAt !== null) return null;
		if (this.#before) {
			const stop = this.#before.stop;
			return Math.min(line.at, stop === null ? Number.POSITIVE_INFINITY : timeOf(this.#before, stop));
		}
		if (!line.moving) return null;
		const start = line.at - this.#early;
		if (this.#o.now() < start) return start;
		return line.stop === null ? null : timeOf(line, line.stop);
	}

	#onTime(): void {
		const line = this.#line;
		if (!line) return;
		const now = this.#o.now();
		if (this.#before) {
			const stop = this.#before.stop;
			if (now >= line.at - 0.5) {
				this.#before = null;
				this.#begin();
			} else if (stop !== null && positionAt(this.#before, now) >= stop) this.#stopAt(stop);
		} else if (line.moving && this.#stoppedAt === null) {
			if (this.#el.paused && now >= line.at - this.#early - 0.5) this.#run();
			if (line.stop !== null && positionAt(line, now) >= line.stop) this.#stopAt(line.stop);
		}
		this.#arm();
	}

	/** The place at which what is playing now must end, µs. */
	#limit(): number | null {
		const line = this.#line;
		if (!line) return null;
		if (!this.#before) return line.moving ? line.stop : null;
		const own = this.#before.stop;
		if (line.moving) return own;
		return own === null ? line.position : Math.min(own, line.position);
	}

	/** The stop is reached: everybody reaches it by themselves, the network is not in the way. */
	#stopAt(us: number): void {
		this.#stoppedAt = us;
		this.#before = null;
		clearTimeout(this.#timer);
		this.#calm();
		this.#still(us);
		if (this.#line && !this.#line.moving) this.#stoppedAt = null; // the next line says the same
	}

	#watchFrames(): void {
		const el = this.#el;
		if (!el.requestVideoFrameCallback || this.#frameCallback) return;
		const look = (_: number, frame: { mediaTime: number }) => {
			this.#frameCallback = 0;
			if (!this.#moving()) return;
			const limit = this.#limit();
			const rate = this.#o.rate;
			if (limit !== null && rate && !el.seeking) {
				const begin = frameStart(frameAt(limit, rate), rate);
				if (frame.mediaTime * 1e6 >= begin - 500 && el.currentTime * 1e6 >= begin - 500) {
					this.#stopAt(limit);
					return;
				}
			}
			this.#frameCallback = el.requestVideoFrameCallback?.(look) ?? 0;
		};
		this.#frameCallback = el.requestVideoFrameCallback(look);
	}

	// ---- drift

	/** How far the element is behind, ms of session time. */
	#errorNow(): number {
		const rate = this.#line?.rate ?? 1;
		return (this.target() / 1e6 - this.#el.currentTime) * (1000 / rate);
	}

	#calm(): void {
		this.#errors = [];
		this.#nudgeUntil = 0;
		const rate = (this.#before ?? this.#line)?.rate ?? 1;
		if (this.#el.playbackRate !== rate) this.#el.playbackRate = rate;
	}

	#tick(): void {
		if (!this.#line) return;
		this.#checkReady();
		if (this.#moving()) this.#steer();
		else this.#checkShown();
	}

	#steer(): void {
		const el = this.#el;
		const line = (this.#before ?? this.#line)!;
		const now = this.#o.now();
		if (now < line.at || (now < this.#line!.at - this.#early === false && el.paused && !this.#before && now < line.at))
			return;
		if (el.paused) {
			if (!el.ended) void this.#play();
			return;
		}
		if (el.seeking || el.readyState < HAVE_FUTURE_DATA) {
			this.#starve(now);
			return;
		}
		this.#starvedSince = 0;
		if (this.#nudgeUntil) {
			if (now < this.#nudgeUntil) return;
			this.#calm();
			this.#quietUntil = now + SILENCE;
		}
		if (now < this.#quietUntil) return;
		this.#errors.push(this.#errorNow());
		if (this.#errors.length >= SAMPLES) this.#correct(now, line);
	}

	#correct(now: number, line: Line): void {
		const error = median(this.#errors);
		this.#errors = [];
		this.#learn(error);
		const far = Math.abs(error) > (now < this.#settledAt ? SEEK_ABOVE_AFTER_START : SEEK_ABOVE);
		this.#tell({ error, state: Math.abs(error) > CATCHING_UP ? "catching-up" : "playing" });
		if (far) {
			if (now >= this.#seekAfter) this.#jumpAhead();
			return;
		}
		if (Math.abs(error) <= (line.rate === 1 ? DEAD_BAND : DEAD_BAND_PITCHED)) return;
		const by = Math.abs(error) > STRONG_ABOVE ? NUDGE_STRONG : NUDGE;
		this.#el.playbackRate = line.rate * (1 + Math.sign(error) * by);
		this.#nudgeUntil = now + Math.min(NUDGE_MAX, Math.abs(error) / by);
	}

	/** What a start or a seek really took, for the next one. */
	#learn(error: number): void {
		if (Math.abs(error) > 1000) return;
		if (this.#aimed) this.#ahead = clamp(this.#ahead + error / 2, 20, 1000);
		else if (this.#startedCold) this.#early = clamp(this.#early + error / 2, 5, 150);
		this.#aimed = false;
		this.#startedCold = false;
	}

	/** Short of data: it catches up alone, with seeks that get rarer while nothing arrives. */
	#starve(now: number): void {
		this.#errors = [];
		this.#starvedSince ||= now;
		const starved = now - this.#starvedSince;
		if (starved > 300) this.#tell({ state: "catching-up" });
		if (!this.#el.seeking && starved > 1000 && now >= this.#seekAfter && this.#errorNow() > SEEK_ABOVE) {
			this.#jumpAhead();
			this.#seekAfter = now + Math.min(8000, SEEK_GAP + starved);
		}
	}

	// ---- telling

	#checkReady(): void {
		const line = this.#line!;
		if (this.#readySeq === line.seq || this.#el.seeking || this.#el.readyState < HAVE_FUTURE_DATA) return;
		const from = this.#el.currentTime;
		if (!line.moving && !this.#before && Math.abs(from - line.position / 1e6) > 0.05) return;
		const need = Math.min(from + READY_AHEAD, (this.#el.duration || 0) - 0.1);
		if (bufferedTo(this.#el, from) < need) return;
		this.#readySeq = line.seq;
		this.#o.onReady?.(line.seq);
	}

	#checkShown(): void {
		const el = this.#el;
		const line = this.#line!;
		const place = this.#stoppedAt ?? line.position;
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
			this.#seekAgain(place / 1e6);
			return;
		}
		if (!there || told || painted === "soon" || line.moving) return;
		this.#shownSeq = line.seq;
		this.#o.onShown?.(line.seq, frame);
	}

	#tell(change: Partial<FollowerStatus>): void {
		const next = { ...this.#status, soundRefused: this.#refused && !this.#wantMuted, ...change };
		const old = this.#status;
		this.#status = next;
		if (next.state !== old.state || next.soundRefused !== old.soundRefused) this.#o.onStatus?.(next);
	}
}

/** The middle of some numbers, sorted; of an even count, the mean of the two in the middle. */
export function median(of: number[]): number {
	const s = [...of].sort((a, b) => a - b);
	const mid = s.length >> 1;
	return s.length % 2 ? s[mid]! : (s[mid - 1]! + s[mid]!) / 2;
}

/** Up to where an element could play from a time without waiting, seconds. */
export function bufferedTo(el: Pick<MediaLike, "buffered">, from: number): number {
	for (let i = 0; i < el.buffered.length; i++) {
		if (el.buffered.start(i) <= from + 0.1 && el.buffered.end(i) >= from) return el.buffered.end(i);
	}
	return from;
}

function clamp(v: number, lo: number, hi: number): number {
	return Math.min(hi, Math.max(lo, v));
}
