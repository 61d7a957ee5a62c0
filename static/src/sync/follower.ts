/**
 * A Follower keeps one media element on a line: it starts with everybody, stays within a few milliseconds by small
 * changes of speed, stops on the exact frame by itself, and says which frame is shown. It knows no room and no wire.
 *
 * It steers by currentTime, not by requestVideoFrameCallback, whose frames stick to a cadence up to a frame off the
 * media clock; and it never relies on that callback alone, since a hidden tab gets none.
 */
import { Drift, Pace } from "./drift.ts";
import { boundedAt, frameAt, frameMiddle, frameStart, type Line, positionAt, timeOf } from "./line.ts";
import type { FollowerOptions, FollowerStatus, MediaLike } from "./media.ts";
import { bufferedTo, Telling } from "./telling.ts";

// Milliseconds, if not said otherwise. Measured in three Chromium browsers with added delay and jitter.
const TICK = 25; // between two looks at currentTime
const SEEK_ABOVE_AFTER_START = 250; // at a start one seek more is quicker than a change of speed
const CATCHING_UP = 350; // further off than this is told
const MOVED = 0.01; // seconds; an element that was told to play is under way
const UNDER_WAY = 25; // from then on until its time is believed
const AGAIN_LATE = 150; // a jump that took so much longer than it was meant to is made again, further ahead
const LATE_AT_MOST = 2; // times in a row: where timers are slow, as in a hidden tab, that does not help
const AGAIN_STARVED = 3000;
const PLAY_AGAIN = 500; // after the browser refused to play
const ELSEWHERE = 2; // seconds; a picture so far from the element's time is of a hidden tab, or of before a jump
const STOP_NEAR = 1; // seconds
const BUFFERED = 0.5; // seconds that must be there for a jump to need no fetching
const HAVE_FUTURE_DATA = 3;

export class Follower {
	#el: MediaLike;
	#o: FollowerOptions;
	#telling: Telling;
	#drift = new Drift();
	#pace = new Pace();
	#line: Line | null = null;
	#before: Line | null = null; // still played, until #line begins
	#loop: ReturnType<typeof setInterval>;
	#timer: ReturnType<typeof setTimeout> | undefined; // for the next start or stop
	#frameCallback = 0;
	#stoppedAt: number | null = null; // the own stop of a moving line was reached, µs
	#start: { called: number; at: number; from: number; moved: number; late: boolean } | null = null; // play() was called, and what it took is not known yet
	#makingUp = false; // plays faster since it began late
	#told = 0; // when the line was heard of
	#meeting: { place: number; since: number; buffered: boolean; sought: boolean; late: number } | null = null; // waits, paused, for the line to come to a place, µs
	#meetTimer: ReturnType<typeof setTimeout> | undefined;
	#starvedSince = 0;
	#wantMuted = false;
	#refused = false;
	#status: FollowerStatus = { state: "still", soundRefused: false, error: 0 };

	constructor(el: MediaLike, options: FollowerOptions) {
		this.#el = el;
		this.#o = options;
		this.#telling = new Telling(el, options, () => this.#tick());
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
		clearTimeout(this.#meetTimer);
		this.#telling.elsewhere();
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
			if (old.stop !== line.stop) this.#told = this.#o.now();
			if (this.#stoppedAt !== null && this.#stoppedAt !== line.stop) {
				this.#stoppedAt = null;
				this.#begin();
			}
			this.#arm();
			return;
		}
		const now = this.#o.now();
		this.#told = now;
		// A line that begins in a moment: until then everybody stays on the one before, which may be the one before that.
		const played = this.#before && old && now < this.#turnsAt(old) ? this.#before : old;
		this.#before = played?.moving && played.at <= now && line.at > now && this.#stoppedAt === null ? played : null;
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
		this.#telling.again();
		clearTimeout(this.#timer);
	}

	/** Says again which frame is shown and that the element is ready, as if for the first time. */
	tellAgain(): void {
		this.#telling.again();
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
		this.#drift.begin();
		this.#el.preservesPitch = line.rate !== 1;
		this.#el.playbackRate = line.rate;
		if (!line.moving) {
			this.#still(line.position, line.at);
			return;
		}
		const now = this.#o.now();
		if (now < line.at - this.#pace.early) {
			this.#still(line.position);
			this.#tell({ state: "starting" });
		} else if (this.#el.paused || Math.abs(this.#errorNow()) > SEEK_ABOVE_AFTER_START) {
			this.#run();
		} else this.#drift.started(now, now, now, line.rate !== 1);
	}

	/** Plays from where the line is; by way of a jump where the element is elsewhere. */
	#run(): void {
		const error = this.#errorNow();
		this.#tell({ state: Math.abs(error) > CATCHING_UP ? "catching-up" : "playing" });
		if (Math.abs(error) > SEEK_ABOVE_AFTER_START) this.#meet();
		else this.#go(this.#line!.at);
	}

	/** Plays, to be where the line is at a session time. */
	#go(at: number): void {
		this.#telling.elsewhere();
		this.#meeting = null;
		this.#calm();
		const called = this.#o.now();
		const { rate } = (this.#before ?? this.#line)!;
		const move = this.#drift.started(called, called + this.#pace.early, at, rate !== 1);
		if (move) this.#el.playbackRate = rate * move.factor;
		this.#makingUp = move !== null;
		this.#start = { called, at, from: this.#el.currentTime, moved: 0, late: move !== null };
		void this.#play();
	}

	/** Pauses on a place, µs, at which it was due at a session time. What was heard of too late to stop there says nothing of stopping. */
	#still(us: number, due = Number.NEGATIVE_INFINITY): void {
		this.#meeting = null;
		this.#start = null;
		const played = !this.#el.paused && !this.#el.seeking;
		this.#el.pause();
		if (played && this.#told <= due - this.#pace.brake)
			this.#pace.stopped((this.#el.currentTime * 1000 - us / 1000) / this.#el.playbackRate + this.#pace.brake);
		this.#telling.seek(us);
		this.#tell({ state: "still", error: 0 });
	}

	/** The element was loaded anew: it is at its beginning. */
	#jumpAgain(): void {
		if (!this.#line) return;
		this.#telling.again();
		this.#meeting = null;
		// Before it was loaded it said that it was where it was told to go; going there takes a while.
		if (this.#moving() && this.#o.now() >= this.#line.at - this.#pace.early) this.#meet();
		else this.#still(this.target());
	}

	/**
	 * Goes to where the line will be in a moment, and waits there for it, paused: how long a seek takes nobody knows beforehand, but how long
	 * play() takes is known quite well.
	 */
	#meet(late = 0): void {
		const now = this.#o.now();
		const soon = this.target(now + this.#pace.ahead(true));
		const buffered = bufferedTo(this.#el, soon / 1e6) >= Math.min(soon / 1e6 + BUFFERED, this.#el.duration || 0);
		let place = buffered ? soon : this.target(now + this.#pace.ahead(false));
		if (Number.isFinite(this.#el.duration)) place = Math.min(place, this.#el.duration * 1e6);
		this.#drift.jumped(now);
		this.#start = null;
		this.#meeting = { place, since: now, buffered, sought: false, late };
		this.#calm();
		this.#el.pause();
		this.#telling.seekAgain(place / 1e6);
	}

	/** Plays on from the place of a meeting when the line comes there. */
	#await(now: number): void {
		const m = this.#meeting!;
		const limit = this.#limit();
		if (limit !== null && m.place >= limit) return; // it stops there, too
		const due = timeOf(this.#before ?? this.#line!, m.place);
		const there = !this.#el.seeking && this.#el.readyState >= HAVE_FUTURE_DATA;
		if (there && !m.sought) {
			m.sought = true;
			this.#pace.sought(now - m.since, m.buffered);
		}
		const late = now - due;
		if (!there && late > AGAIN_STARVED) this.#meet();
		else if (there && late > AGAIN_LATE && m.late < LATE_AT_MOST) this.#meet(m.late + 1);
		else if (there && late >= -this.#pace.early - 1) this.#go(due);
		else if (there) this.#wake(-this.#pace.early - late);
		if (now - m.since > 1000 && this.#meeting) this.#tell({ state: "catching-up" });
	}

	#wake(ms: number): void {
		clearTimeout(this.#meetTimer);
		this.#meetTimer = setTimeout(() => this.#tick(), ms);
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
			const own = stop === null ? Number.POSITIVE_INFINITY : timeOf(this.#before, stop) - this.#pace.brake;
			return Math.min(this.#turnsAt(line), own);
		}
		if (!line.moving) return null;
		const start = line.at - this.#pace.early;
		if (this.#o.now() < start) return start;
		return line.stop === null ? null : timeOf(line, line.stop) - this.#pace.brake;
	}

	#onTime(): void {
		const line = this.#line;
		if (!line) return;
		const now = this.#o.now();
		if (this.#before) {
			const stop = this.#before.stop;
			if (now >= this.#turnsAt(line) - 0.5) {
				this.#before = null;
				this.#begin();
			} else if (stop !== null && positionAt(this.#before, now + this.#pace.brake) >= stop) this.#stopAt(stop);
		} else if (line.moving && this.#stoppedAt === null) {
			if (this.#el.paused && !this.#meeting && now >= line.at - this.#pace.early - 0.5) this.#run();
			if (line.stop !== null && positionAt(line, now + this.#pace.brake) >= line.stop) this.#stopAt(line.stop);
		}
		this.#arm();
	}

	/** When the line takes the place of the one before. */
	#turnsAt(line: Line): number {
		return line.moving ? line.at : line.at - this.#pace.brake;
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
		const due = timeOf((this.#before ?? this.#line)!, us);
		this.#stoppedAt = us;
		this.#before = null;
		clearTimeout(this.#timer);
		this.#calm();
		this.#still(us, due);
		if (this.#line && !this.#line.moving) this.#stoppedAt = null; // the next line says the same
	}

	/** Looks at each frame that is displayed when a stop is near: each look costs a picture of the page. */
	#watchFrames(): void {
		const el = this.#el;
		const limit = this.#limit();
		if (!el.requestVideoFrameCallback || this.#frameCallback || limit === null) return;
		if (limit / 1e6 - el.currentTime > STOP_NEAR * el.playbackRate) return;
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
		this.#drift.calm();
		this.#makingUp = false;
		const rate = (this.#before ?? this.#line)?.rate ?? 1;
		if (this.#el.playbackRate !== rate) this.#el.playbackRate = rate;
	}

	#tick(): void {
		const line = this.#line;
		if (!line) return;
		this.#telling.ready(line, line.moving || this.#before !== null);
		if (this.#moving()) this.#steer();
		else this.#telling.shown(line, this.#stoppedAt ?? line.position);
	}

	#steer(): void {
		const el = this.#el;
		const line = (this.#before ?? this.#line)!;
		const now = this.#o.now();
		if (this.#meeting) {
			this.#await(now);
			return;
		}
		if (now < line.at) return;
		if (el.paused) {
			const refused = this.#start && now < this.#start.called + PLAY_AGAIN;
			if (!el.ended && !refused) this.#run();
			return;
		}
		if (el.seeking || el.readyState < HAVE_FUTURE_DATA) {
			this.#starve(now);
			return;
		}
		this.#starvedSince = 0;
		this.#watchFrames();
		if (!this.#underWay(now)) return;
		const madeUp = this.#makingUp && this.#drift.madeUp(now, this.#errorNow());
		if (madeUp || this.#drift.over(now)) this.#calm();
		const error = this.#drift.look(now, this.#errorNow());
		if (error !== null) this.#correct(now, error, line);
	}

	/** Whether the element's time moves since play() was called. */
	#underWay(now: number): boolean {
		const s = this.#start;
		if (!s) return true;
		if (!s.moved && Math.abs(this.#el.currentTime - s.from) > MOVED) s.moved = now;
		if (!s.moved || now < s.moved + UNDER_WAY) return false;
		if (s.late) {
			// Its distance to the line changes while it plays faster: what its start took is told by its own time.
			this.#pace.started(now - s.called - ((this.#el.currentTime - s.from) * 1000) / this.#el.playbackRate);
			this.#start = null;
		}
		return true;
	}

	#correct(now: number, error: number, line: Line): void {
		if (this.#start) this.#pace.started(this.#start.at - this.#start.called + error);
		this.#start = null;
		this.#tell({ error, state: Math.abs(error) > CATCHING_UP ? "catching-up" : "playing" });
		const move = this.#drift.move(now, error, line.rate !== 1);
		if (move?.do === "jump") this.#meet();
		else if (move) this.#el.playbackRate = line.rate * move.factor;
	}

	/** Short of data: it catches up alone, with jumps that get rarer while nothing arrives. */
	#starve(now: number): void {
		this.#calm();
		this.#starvedSince ||= now;
		const starved = now - this.#starvedSince;
		if (starved > 300) this.#tell({ state: "catching-up" });
		if (!this.#el.seeking && starved > 1000 && this.#drift.mayJump(now)) this.#meet();
	}

	// ---- telling

	#tell(change: Partial<FollowerStatus>): void {
		const next = { ...this.#status, soundRefused: this.#refused && !this.#wantMuted, ...change };
		const old = this.#status;
		this.#status = next;
		if (next.state !== old.state || next.soundRefused !== old.soundRefused) this.#o.onStatus?.(next);
	}
}
