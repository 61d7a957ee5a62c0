/** Where the shared player is and where it stops next. Clip times in µs, session times in ms, as on the wire. */
import type { Clip, Pause, Playback } from "../event.gen.ts";

/** A constant frame rate: num/den frames a second. */
export interface FrameRate {
	fpsNum: number;
	fpsDen: number;
}

/** The frame that is shown at a clip time: frame n over [n·den/num, (n+1)·den/num) seconds. */
export function frameAt(us: number, r: FrameRate): number {
	return Math.max(0, Math.floor((us * r.fpsNum) / (r.fpsDen * 1_000_000)));
}

/** The first whole µs at which frame n is shown. */
export function frameStart(n: number, r: FrameRate): number {
	return Math.ceil((n * r.fpsDen * 1_000_000) / r.fpsNum);
}

/** The middle of frame n, µs: where everybody seeks to who must show it. */
export function frameMiddle(n: number, r: FrameRate): number {
	return Math.floor(((2 * n + 1) * r.fpsDen * 1_000_000) / (2 * r.fpsNum));
}

/** The first and the last frame whose middles are in the chosen range [from, to). */
export function framesOf(clip: Pick<Clip, "from" | "to" | "duration" | "frames"> & FrameRate): {
	first: number;
	last: number;
} {
	let first = frameAt(clip.from, clip);
	if (frameMiddle(first, clip) < clip.from) first++;
	let last = frameAt(Math.min(clip.to, clip.duration) - 1, clip);
	if (frameMiddle(last, clip) >= clip.to) last--;
	last = Math.min(last, clip.frames - 1);
	return { first, last: Math.max(first, last) };
}

/** The middle of the frame shown at a clip time, within the chosen range. */
export function snap(us: number, clip: Clip): number {
	const { first, last } = framesOf(clip);
	return frameMiddle(Math.min(Math.max(frameAt(us, clip), first), last), clip);
}

/** A line as a follower needs it: position at session time `at`, from then on moving by rate if it moves. */
export interface Line {
	/** The latest wins. */
	seq: number;
	moving: boolean;
	/** µs */
	position: number;
	/** session ms; until then everybody stays on the line before, if that one moves */
	at: number;
	rate: number;
	/** µs at which it stops by itself, the middle of a frame; null where nothing stops it */
	stop: number | null;
}

/** Clip time of a line at a session time, µs, without regard to its stop. */
export function positionAt(line: Pick<Line, "moving" | "position" | "at" | "rate">, now: number): number {
	if (!line.moving || now <= line.at) return line.position;
	return line.position + line.rate * (now - line.at) * 1000;
}

/** Clip time of a line at a session time, µs, and never beyond its stop. */
export function boundedAt(line: Line, now: number): number {
	const p = positionAt(line, now);
	return line.stop === null ? p : Math.min(p, Math.max(line.stop, line.position));
}

/** Session time at which a moving line reaches a clip time, ms. */
export function timeOf(line: Line, us: number): number {
	return line.at + (us - line.position) / (line.rate * 1000);
}

/** A place at which playing stops by itself. */
export interface Stop {
	/** µs, the middle of the frame */
	position: number;
	frame: number;
	/** the prepared pause; null at the end of the range */
	pause: Pause | null;
}

/** Where a player that is at this clip time stops by itself: at the next pause, passed before or not, or at the end of the range. */
export function nextStop(position: number, pauses: Pause[], clip: Clip): Stop {
	const { last } = framesOf(clip);
	const from = frameAt(position, clip);
	const pause = pauses.find((p) => p.frame > from && p.frame <= last && !p.proposed);
	const frame = pause?.frame ?? last;
	return { position: frameMiddle(frame, clip), frame, pause: pause ?? null };
}

/** The wire's line as a follower's. Whoever waits, waits at the line's place at once: `at` is then only a deadline. */
export function lineOf(p: Playback, pauses: Pause[], clip: Clip): Line {
	const moving = p.mode === "playing";
	return {
		seq: p.seq,
		moving,
		position: p.position,
		at: p.mode === "waiting" ? 0 : p.at,
		rate: p.rate,
		stop: moving ? nextStop(p.position, pauses, clip).position : null,
	};
}
