/** Which recorded segments are fetched and which media is dropped again. Times are session time in ms; no effects. */
import type { Interval } from "./history.ts";

/** What is kept around now. */
export const BEHIND = 10_000;
export const AHEAD = 40_000;
/** What is further away than this is dropped. */
export const KEEP_BEHIND = 90_000;
export const KEEP_AHEAD = 120_000;
/** Tries before a segment is passed over. */
export const TRIES = 3;

export type SegmentState = "none" | "loading" | "done" | "failed";

/** A recorded file of a track and how far it has come. */
export interface Slot {
	id: string;
	/** session time of media time 0 */
	start: number;
	end: number;
	state: SegmentState;
	/** tries that failed */
	tries: number;
}

/** Whether a segment is to be there at a moment. */
export function wanted(s: Slot, t: number): boolean {
	return s.start < t + AHEAD && s.end > t - BEHIND;
}

/** The segment to fetch next: the one at the moment, then those after it in order, then the one just before. */
export function nextToFetch(slots: Slot[], t: number): Slot | null {
	const open = slots.filter((s) => s.state === "none" && wanted(s, t));
	return open.find((s) => s.end > t) ?? open.at(-1) ?? null;
}

/** Whether what is being fetched is left for something else: it is far now, or the segment of the moment waits behind it. */
export function toLeave(loading: Slot, slots: Slot[], t: number): boolean {
	const here = (s: Slot) => s.start <= t && t < s.end;
	return !wanted(loading, t) || (!here(loading) && slots.some((s) => s.state === "none" && here(s)));
}

/** Buffered stretches to drop: far behind and far ahead. */
export function toDrop(buffered: Interval[], t: number): Interval[] {
	const out: Interval[] = [];
	for (const { from, to } of buffered) {
		if (from < t - KEEP_BEHIND) out.push({ from, to: Math.min(to, t - KEEP_BEHIND) });
		if (to > t + KEEP_AHEAD) out.push({ from: Math.max(from, t + KEEP_AHEAD), to });
	}
	return out;
}

/** After a stretch was dropped, the segments that reach into it are fetched again when they are wanted. */
export function forget(slots: Slot[], dropped: Interval): void {
	for (const s of slots) if (s.state === "done" && s.start < dropped.to && s.end > dropped.from) s.state = "none";
}

/** Where a track is at a moment: media is there, is on its way, or there is none until the next begins. */
export type Place =
	| { at: "media"; stretch: Interval }
	| { at: "waiting" }
	| { at: "gap"; since: number; next: number | null };

/** Media that is this close counts as there: a player steps over it. */
const CLOSE = 60;

/** Where a track is, from what is buffered and what is still to come. */
export function placeOf(buffered: Interval[], slots: Slot[], t: number): Place {
	const stretch = buffered.find((b) => b.from - CLOSE <= t && t < b.to - 1);
	if (stretch) return { at: "media", stretch };
	if (slots.some((s) => s.start <= t && t < s.end && (s.state === "none" || s.state === "loading")))
		return { at: "waiting" };
	const since = Math.max(Number.NEGATIVE_INFINITY, ...buffered.filter((b) => b.to <= t + CLOSE).map((b) => b.to));
	const ahead = [
		...buffered.map((b) => b.from),
		...slots.filter((s) => s.state !== "done" && s.state !== "failed").map((s) => s.start),
	].filter((from) => from > t);
	return { at: "gap", since, next: ahead.length ? Math.min(...ahead) : null };
}
