/**
 * What happened in a session, by its time: what the shared player showed, who was there and spoke, what was recorded.
 * Everything is computed from the journal, by the same rules by which everybody's player followed it.
 *
 * Session times are ms, clip times µs.
 */
import type { Answer, Clip, Event, Mode, Note, Playback, View } from "../event.gen.ts";
import { fold } from "../sync/fold.ts";
import { boundedAt, frameAt, type Line, lineOf, timeOf } from "../sync/line.ts";

/** Session time [from, to), ms. */
export interface Interval {
	from: number;
	to: number;
}

/** What the shared player showed at a moment. */
export interface Shown {
	mode: Mode;
	/** µs */
	position: number;
	frame: number;
	rate: number;
	/** the pivotal pause that was on; empty if none */
	hold: string;
	/** false in a session without a clip: then only mode means something */
	onClip: boolean;
}

/** A stretch in which the clip ran evenly, or stood. */
export interface Piece extends Interval {
	/** clip times at both ends, µs; equal where it stood */
	a: number;
	b: number;
	/** clip time per session time; 0 where it stood */
	rate: number;
	/** the pivotal pause; empty where there was none */
	hold: string;
}

/** A pivotal pause as it went. */
export interface Chapter extends Interval {
	id: string;
	/** 1 for the first */
	number: number;
	prompt: string;
	/** name of who prepared or called it */
	by: string;
	frame: number;
	/** µs, middle of the frame */
	position: number;
	/** when thinking alone was over; null if the pause ended before */
	talkFrom: number | null;
	/** when the answers were shown; null if they were not */
	revealedAt: number | null;
	/** none unless they were shown */
	answers: Answer[];
}

/** A line of the player and since when it counted. */
interface LineState {
	since: number;
	mode: Mode;
	rate: number;
	line: Line;
	/** the line before, if it moved: it runs on until this one begins */
	before: Line | null;
	hold: string;
}

/** Events between two views that are kept. */
const CHECKPOINT = 64;
/** Stretches of talk closer than this are drawn as one, ms. */
const BREATH = 300;

const nothing: View = {
	session: { id: "", kind: "conversation", title: "", focus: "", purpose: "", opened: 0, recorded: false },
	clip: null,
	members: [],
	playback: { mode: "stopped", position: 0, rate: 1, at: 0, seq: 0, ready: [], by: "" },
	controls: { holder: "" },
	pauses: [],
	hold: null,
	notes: [],
	drawings: [],
	recording: { state: "off", since: 0, by: "" },
	keeping: { days: 0, held: 0, reason: "" },
	reuse: { state: "", clip: "", by: "", of: [], agreed: [] },
};

export class History {
	/** The state at the end. */
	readonly end: View;
	readonly duration: number;
	/** Stretches of the clip, without a gap from 0 to the duration; none without a clip. */
	readonly pieces: Piece[];
	readonly chapters: Chapter[];
	/** Who spoke when, by member. */
	readonly speech: ReadonlyMap<string, Interval[]>;
	/** Who was here when, by member. */
	readonly present: ReadonlyMap<string, Interval[]>;
	/** When the conversation was on the record. */
	readonly recorded: Interval[];
	/** Session times at which somebody drew on a frame. */
	readonly drawn: number[];
	/** Session times at which something happened, was begun or ended, in order. */
	readonly moments: number[];
	/** Members who were sent out: what remains is not theirs any more. */
	readonly removed: ReadonlySet<string>;
	/** When the clip ran for the first time; null if it never did. */
	readonly firstRun: number | null;
	#events: Event[];
	#views: View[] = []; // before event 0, CHECKPOINT, 2·CHECKPOINT, …
	#last: { n: number; view: View };
	#lines: LineState[] = [];

	constructor(journal: Event[], duration: number) {
		const events = journal.map((e) => (e.at === undefined ? { ...(e as Event), at: 0 } : e)); // a 0 is left out on the wire
		this.#events = events;
		this.duration = Math.max(1, duration, events.at(-1)?.at ?? 0);
		let v = nothing;
		for (const [n, e] of events.entries()) {
			if (n % CHECKPOINT === 0) this.#views.push(v);
			const old = v;
			v = fold(v, e);
			this.#keepLine(old, v, e.at);
		}
		this.end = v;
		this.#last = { n: events.length, view: v };
		this.pieces = v.clip ? piecesOf(this.#lines, this.duration) : [];
		this.firstRun = this.pieces.find((p) => p.rate > 0)?.from ?? null;
		this.chapters = chaptersOf(events, this.duration);
		this.speech = speechOf(events);
		this.present = presentOf(events, this.duration);
		this.recorded = recordedOf(events, this.duration);
		this.drawn = events.flatMap((e) => (e.type === "drawing.added" ? [e.at] : []));
		this.moments = [...new Set([...events.map((e) => e.at), ...edgesOf(this.pieces, ...this.speech.values())])].sort(
			(a, b) => a - b,
		);
		this.removed = new Set(events.flatMap((e) => (e.type === "member.removed" ? [e.data.member.id] : [])));
		for (const e of events) if (e.type === "member.joined") (this.removed as Set<string>).delete(e.data.member.id);
	}

	#keepLine(old: View, v: View, at: number): void {
		if (!v.clip) return;
		const p = v.playback;
		const q = old.playback;
		const turned = p.seq !== q.seq || p.at !== q.at || p.mode !== q.mode || old.clip !== v.clip;
		const hold = v.hold?.id ?? "";
		const last = this.#lines.at(-1);
		if (!turned && old.pauses === v.pauses && last?.hold === hold) return;
		const before = turned ? movingLine(last) : (last?.before ?? null);
		this.#lines.push({ since: at, mode: p.mode, rate: p.rate, line: line(p, v, v.clip), before, hold });
	}

	/** The state at a session time, as the reader may see it. */
	viewAt(t: number): View {
		const n = upTo(this.#events, (e) => e.at <= t);
		let { n: from, view } = this.#last;
		const k = Math.floor(n / CHECKPOINT);
		if (from > n || from < k * CHECKPOINT) {
			const kept = Math.min(k, this.#views.length - 1);
			if (kept < 0) return nothing;
			from = kept * CHECKPOINT;
			view = this.#views[kept]!;
		}
		for (; from < n; from++) view = fold(view, this.#events[from]!);
		this.#last = { n, view };
		return view;
	}

	/** What the shared player showed at a session time. */
	shownAt(t: number): Shown {
		const s = this.#lines[upTo(this.#lines, (l) => l.since <= t) - 1];
		const clip = this.end.clip;
		if (!s || !clip) {
			const { mode, position, rate } = this.viewAt(t).playback;
			return { mode, position, rate, frame: 0, hold: "", onClip: false };
		}
		const position = placeAt(s, t);
		return {
			mode: s.mode,
			position,
			frame: Math.min(frameAt(position, clip), clip.frames - 1),
			rate: s.rate,
			hold: s.hold,
			onClip: true,
		};
	}

	/** The stretch of the clip at a session time; null without a clip. */
	pieceAt(t: number): Piece | null {
		return this.pieces[Math.max(0, upTo(this.pieces, (p) => p.from <= t) - 1)] ?? null;
	}

	/** The pivotal pause at a session time. */
	chapterAt(t: number): Chapter | null {
		const c = this.chapters[upTo(this.chapters, (c) => c.from <= t) - 1];
		return c && t < c.to ? c : null;
	}

	/** The last pause that has begun by then: 0 before the first, else its number. */
	passedAt(t: number): number {
		return upTo(this.chapters, (c) => c.from <= t);
	}

	/** Session times at which a place of the clip was shown, in order; of a pause, its begin. */
	momentsOf(us: number): number[] {
		const out: number[] = [];
		for (const p of this.pieces) {
			const t = momentIn(p, us);
			if (t !== null && t - (out.at(-1) ?? Number.NEGATIVE_INFINITY) > 1) out.push(t);
		}
		return out;
	}

	/** The first moment at which a place was shown; if it never was, the moment at which the nearest place was. */
	momentFor(us: number): number | null {
		const first = this.momentsOf(us)[0];
		if (first !== undefined) return first;
		let best: { far: number; t: number } | null = null;
		for (const p of this.pieces) {
			if (p.from === 0 && p.rate === 0 && this.pieces.length > 1) continue; // before anything was shown
			const edge = us < p.a ? { far: p.a - us, t: p.from } : { far: us - p.b, t: p.rate > 0 ? p.to : p.from };
			if (!best || edge.far < best.far) best = edge;
		}
		return best?.t ?? null;
	}

	/** Where the clip goes on if what stands at this moment is left out: the moment itself while it runs, null at the end. */
	runFrom(t: number): number | null {
		const n = Math.max(0, upTo(this.pieces, (p) => p.from <= t) - 1);
		for (const p of this.pieces.slice(n)) if (p.rate > 0 && t < p.to) return Math.max(p.from, t);
		return null;
	}

	/** Session time at which a note belongs: when it was begun, or, if written beforehand, when its place was first shown. */
	momentOfNote(n: Note): number {
		if (n.at > 0 || n.written > 0 || !n.onClip) return n.at;
		return this.momentsOf(n.from)[0] ?? 0;
	}

	/** The next session time at which something happened; Infinity after the last. */
	momentAfter(t: number): number {
		return this.moments[upTo(this.moments, (m) => m <= t)] ?? Number.POSITIVE_INFINITY;
	}

	/** Members who speak at a session time. */
	speakersAt(t: number): string[] {
		const out: string[] = [];
		for (const [member, talk] of this.speech) if (within(talk, t)) out.push(member);
		return out;
	}

	/** The stretch off the record around a session time; null on the record. */
	offRecordAt(t: number): Interval | null {
		if (within(this.recorded, t)) return null;
		const next = upTo(this.recorded, (r) => r.from <= t);
		return { from: this.recorded[next - 1]?.to ?? 0, to: this.recorded[next]?.from ?? this.duration };
	}

	/**
	 * Where something goes on if at this moment, and for at least `least` ms from it, nothing was recorded, the clip stands
	 * and nothing was written or drawn; null otherwise.
	 */
	skipFrom(t: number, heard: Interval[], least = 15_000): number | null {
		if (within(heard, t) || (this.pieceAt(t)?.rate ?? 0) > 0) return null;
		const starts = [
			...heard.map((h) => h.from),
			...this.pieces.filter((p) => p.rate > 0).map((p) => p.from),
			...this.chapters.map((c) => c.from),
			...this.end.notes.map((n) => this.momentOfNote(n) - 2000),
			...this.drawn.map((at) => at - 2000),
		];
		const next = Math.min(...starts.filter((s) => s > t + 1000), this.duration);
		return next - t >= least && next < this.duration ? next : null;
	}
}

function line(p: Playback, v: View, clip: Clip): Line {
	return lineOf(p, v.pauses, clip);
}

function movingLine(s: LineState | undefined): Line | null {
	return s?.line.moving ? s.line : null;
}

/** A line that begins at a time to come lets the one before run until then; a stop does not let it run beyond its place. */
function beforeAt(s: LineState, t: number): number {
	const p = boundedAt(s.before!, t);
	return s.line.moving ? p : Math.min(p, s.line.position);
}

function placeAt(s: LineState, t: number): number {
	return Math.round(s.before && t < s.line.at ? beforeAt(s, t) : boundedAt(s.line, t));
}

function piecesOf(states: LineState[], duration: number): Piece[] {
	const out: Piece[] = [];
	for (const [i, s] of states.entries()) {
		const begin = i === 0 ? 0 : s.since;
		const end = Math.min(duration, states[i + 1]?.since ?? duration);
		const cuts = [begin, ...turnsOf(s).filter((t) => t > begin && t < end), end].sort((x, y) => x - y);
		for (let k = 1; k < cuts.length; k++) addPiece(out, s, cuts[k - 1]!, cuts[k]!);
	}
	return out;
}

/** Session times at which the motion of a line changes. */
function turnsOf(s: LineState): number[] {
	const out = [s.line.at];
	if (s.line.moving && s.line.stop !== null) out.push(timeOf(s.line, s.line.stop));
	if (s.before) {
		if (s.before.stop !== null) out.push(timeOf(s.before, s.before.stop));
		if (!s.line.moving) out.push(timeOf(s.before, s.line.position));
	}
	return out.filter(Number.isFinite);
}

function addPiece(out: Piece[], s: LineState, from: number, to: number): void {
	if (to <= from) return;
	const place = s.before && from < s.line.at ? (t: number) => beforeAt(s, t) : (t: number) => boundedAt(s.line, t);
	const a = Math.round(place(from));
	const b = Math.max(a, Math.round(place(to)));
	const rate = b - a > 1 ? (b - a) / ((to - from) * 1000) : 0;
	const last = out.at(-1);
	const joined = last && last.hold === s.hold && Math.abs(last.b - a) <= 1 && Math.abs(last.rate - rate) < 0.001;
	if (!joined) out.push({ from, to, a, b: rate ? b : a, rate, hold: s.hold });
	else {
		last.to = to;
		if (rate) last.b = b;
	}
}

/** When a stretch showed a place; a standing clip shows it to within a thousandth of a second. */
function momentIn(p: Piece, us: number): number | null {
	if (p.rate === 0) return Math.abs(us - p.a) <= 1000 && p.from > 0 ? p.from : null;
	return us >= p.a && us <= p.b ? p.from + (us - p.a) / (p.rate * 1000) : null;
}

function chaptersOf(events: Event[], duration: number): Chapter[] {
	const out: Chapter[] = [];
	let now: Chapter | undefined;
	const end = (at: number) => {
		if (now && now.to > at) now.to = Math.max(now.from, at);
		now = undefined;
	};
	for (const e of events) {
		switch (e.type) {
			case "hold.began": {
				end(e.at);
				const { id, prompt, by, frame, position, began, phase } = e.data.hold;
				const talkFrom = phase === "talking" ? began : null;
				const number = out.length + 1;
				const rest = { talkFrom, revealedAt: null, answers: [] };
				now = { id, number, prompt, by, frame, position, from: began, to: duration, ...rest };
				out.push(now);
				break;
			}
			case "hold.phase":
				if (now?.id === e.data.hold && e.data.phase === "talking") now.talkFrom = e.data.since;
				break;
			case "hold.revealed":
				if (now?.id !== e.data.hold) break;
				now.revealedAt = e.at;
				now.answers = e.data.answers ?? [];
				break;
			case "hold.ended":
				if (now?.id === e.data.hold) end(e.at);
				break;
			case "session.ended":
				end(e.at);
		}
	}
	return out;
}

function speechOf(events: Event[]): Map<string, Interval[]> {
	const out = new Map<string, Interval[]>();
	for (const e of events) {
		if (e.type !== "member.spoke") continue;
		const { member, from, to } = e.data.speech;
		const talk = out.get(member) ?? [];
		const last = talk.at(-1);
		if (last && from - last.to < BREATH) last.to = Math.max(last.to, to);
		else talk.push({ from, to });
		out.set(member, talk);
	}
	return out;
}

function presentOf(events: Event[], duration: number): Map<string, Interval[]> {
	const out = new Map<string, Interval[]>();
	for (const e of events) {
		if (!("member" in e.data) || typeof e.data.member !== "object") continue;
		const m = e.data.member;
		const stays = out.get(m.id) ?? [];
		const here = stays.at(-1)?.to === duration;
		if (m.presence === "here" && !here) stays.push({ from: e.at, to: duration });
		else if (m.presence !== "here" && here) stays.at(-1)!.to = e.at;
		out.set(m.id, stays);
	}
	return out;
}

function recordedOf(events: Event[], duration: number): Interval[] {
	const out: Interval[] = [];
	let from: number | null = null;
	for (const e of events) {
		if (e.type !== "recording.changed" && e.type !== "session.ended") continue;
		const on = e.type === "recording.changed" && e.data.recording.state === "on";
		if (on && from === null) from = e.at;
		else if (!on && from !== null) {
			out.push({ from, to: e.at });
			from = null;
		}
	}
	if (from !== null) out.push({ from, to: Math.max(duration, from + 1) });
	return out;
}

function edgesOf(...lists: Interval[][]): number[] {
	return lists.flat().flatMap(({ from, to }) => [from, to]);
}

/** Whether a time is in one of some intervals that are in order and apart. */
export function within(intervals: Interval[], t: number): boolean {
	const i = intervals[upTo(intervals, (r) => r.from <= t) - 1];
	return i !== undefined && t < i.to;
}

/** Intervals in any order, joined where they touch or are less than `gap` apart. */
export function union(intervals: Interval[], gap = 0): Interval[] {
	const out: Interval[] = [];
	for (const { from, to } of [...intervals].sort((a, b) => a.from - b.from)) {
		const last = out.at(-1);
		if (last && from <= last.to + gap) last.to = Math.max(last.to, to);
		else out.push({ from, to });
	}
	return out;
}

/** How many elements at the front of a sorted list hold. */
function upTo<T>(list: T[], holds: (e: T) => boolean): number {
	let lo = 0;
	let hi = list.length;
	while (lo < hi) {
		const mid = (lo + hi) >> 1;
		if (holds(list[mid]!)) lo = mid + 1;
		else hi = mid;
	}
	return lo;
}
