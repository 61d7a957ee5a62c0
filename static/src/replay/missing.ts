/** What the recording lacks, although the conversation was on the record. Pure. */
import type { ReplaySegment } from "../api.ts";
import type { Event } from "../event.gen.ts";
import { type Interval, union } from "./history.ts";

/** A stretch of which not everything was stored, and the sentence that people read about it. */
export interface Missing extends Interval {
	reason: string;
}

/** So long it may take until a voice is there, or is there again, ms; less is no gap that anybody hears. */
const SOON = 3000;

/** What was told to be missing, in order: what was a gap when it was told, and what lasted as long as it was told. */
export function missingOf(events: Event[], duration: number): Missing[] {
	const out: Missing[] = [];
	let lasting: Missing | null = null;
	const end = (at: number) => {
		if (lasting) lasting.to = Math.max(lasting.from, at);
		lasting = null;
	};
	for (const e of events) {
		if (e.type !== "recording.changed" && e.type !== "session.ended") continue;
		end(e.at ?? 0);
		if (e.type !== "recording.changed") continue;
		const { state, reason, missingFrom, missingTo } = e.data.recording;
		if (state !== "on" || !reason) continue;
		const told = { from: missingFrom ?? e.at ?? 0, to: missingTo ?? duration, reason };
		if (missingTo === undefined) lasting = told;
		out.push(told);
	}
	const reasons = [...new Set(out.map((m) => m.reason))];
	return reasons
		.flatMap((reason) => union(out.filter((m) => m.reason === reason)).map((i) => ({ ...i, reason })))
		.sort((a, b) => a.from - b.from);
}

/**
 * Stretches in which members were here with their microphone on, had agreed, and were on the record, and of which there is no
 * sound; by member. What somebody took back is not missing.
 */
export function unheardOf(events: Event[], recorded: Interval[], segments: ReplaySegment[]): Map<string, Interval[]> {
	const out = new Map<string, Interval[]>();
	for (const [member, due] of dueOf(events, recorded.at(-1)?.to ?? 0)) {
		const stored = segments.filter((s) => s.member === member && s.source === "audio");
		const heard = union(stored.map((s) => ({ from: s.start, to: s.end })));
		const gaps = minus(both(due, recorded), heard).filter((i) => i.to - i.from > SOON);
		if (gaps.length > 0) out.set(member, gaps);
	}
	return out;
}

/** When members were here, had agreed, and had their microphone on. */
function dueOf(events: Event[], end: number): Map<string, Interval[]> {
	const out = new Map<string, Interval[]>();
	for (const e of events) {
		if (!("member" in e.data) || typeof e.data.member !== "object") continue;
		const m = e.data.member;
		const stretches = e.type === "member.withdrew" ? [] : (out.get(m.id) ?? []);
		const open = stretches.at(-1)?.to === end;
		const due = m.presence === "here" && m.mic && m.consent === "agreed";
		if (due && !open) stretches.push({ from: e.at ?? 0, to: end });
		else if (!due && open) stretches.at(-1)!.to = e.at ?? 0;
		out.set(m.id, stretches);
	}
	return out;
}

/** What is in both; each list is in order and its intervals apart. */
function both(a: Interval[], b: Interval[]): Interval[] {
	return a.flatMap((x) =>
		b.map((y) => ({ from: Math.max(x.from, y.from), to: Math.min(x.to, y.to) })).filter((i) => i.to > i.from),
	);
}

/** What of some intervals is in none of others, which are in order and apart. */
function minus(all: Interval[], others: Interval[]): Interval[] {
	return all.flatMap((i) => {
		const edges = [
			i.from,
			...others.filter((o) => o.from < i.to && o.to > i.from).flatMap((o) => [o.from, o.to]),
			i.to,
		];
		const out: Interval[] = [];
		for (let n = 0; n < edges.length; n += 2) {
			if (edges[n + 1]! > edges[n]!) out.push({ from: edges[n]!, to: edges[n + 1]! });
		}
		return out;
	});
}
