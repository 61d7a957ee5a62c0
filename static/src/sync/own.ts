/** A line of one's own: what somebody follows who looks around in the clip alone. Pure. Clip times in µs, session times in ms. */
import type { Clip } from "../event.gen.ts";
import { boundedAt, frameAt, frameMiddle, framesOf, type Line, snap } from "./line.ts";

/** From play() until the clip is to move: an element needs a moment. */
const LEAD = 100;

/** Stands where one is. */
export function ownLine(position: number, now: number, clip: Clip): Line {
	return still(0, snap(position, clip), now);
}

export function ownPlayOrStop(line: Line, now: number, clip: Clip): Line {
	const at = boundedAt(line, now);
	if (line.moving && at < end(clip)) return still(line.seq + 1, snap(at, clip), now);
	const { first, last } = framesOf(clip);
	return moving(line.seq + 1, frameAt(at, clip) >= last ? frameMiddle(first, clip) : snap(at, clip), now, clip);
}

/** Goes to a place; plays on from there if it played. */
export function ownSeek(line: Line, us: number, now: number, clip: Clip): Line {
	const to = snap(us, clip);
	return line.moving ? moving(line.seq + 1, to, now, clip) : still(line.seq + 1, to, now);
}

/** Goes by frames, and stands there. */
export function ownStep(line: Line, frames: number, now: number, clip: Clip): Line {
	const { first, last } = framesOf(clip);
	const frame = Math.min(Math.max(frameAt(boundedAt(line, now), clip) + frames, first), last);
	return still(line.seq + 1, frameMiddle(frame, clip), now);
}

/** Whether it plays at a time, and has not come to the end. */
export function ownPlays(line: Line, now: number): boolean {
	return line.moving && (line.stop === null || boundedAt(line, now) < line.stop);
}

function still(seq: number, position: number, at: number): Line {
	return { seq, moving: false, position, at, rate: 1, stop: null };
}

function moving(seq: number, position: number, now: number, clip: Clip): Line {
	return { seq, moving: true, position, at: now + LEAD, rate: 1, stop: end(clip) };
}

function end(clip: Clip): number {
	return frameMiddle(framesOf(clip).last, clip);
}
