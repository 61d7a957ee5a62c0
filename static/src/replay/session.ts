/** One replay: what is known of the session, its clock, and what is shown at the clock's moment. */
import { computed, type ReadonlySignal, signal } from "@preact/signals";
import type { Replay } from "../api.ts";
import type { Action, Event, Member, Note, View } from "../event.gen.ts";
import { Conductor } from "./conductor.ts";
import { type Chapter, History, type Interval, union } from "./history.ts";
import { playsAll, type Source, type Track, tracksOf } from "./media.ts";
import { type Missing, missingOf, unheardOf } from "./missing.ts";

/** Two files of one voice that are this close are one recording, ms. */
const SEAM = 2000;
/** A note is "now" from this much before to this much after the moment at which it was begun, ms. */
const NOTE_BEFORE = 1500;
const NOTE_AFTER = 8000;

export class ReplaySession {
	readonly id: string;
	readonly you: string;
	readonly may: ReadonlySet<Action>;
	readonly events: Event[];
	readonly history: History;
	readonly conductor: Conductor;
	readonly tracks: Track[];
	/** When anything was recorded. */
	readonly heard: Interval[];
	/** What was told to be missing in the recording. */
	readonly missing: Missing[];
	/** Where somebody's voice was not stored, by member; known once the session is over. */
	readonly unheard: ReadonlyMap<string, Interval[]>;
	/** This browser plays what was recorded. */
	readonly plays: boolean;
	readonly notes: Note[];
	/** What went wrong with the recording, a sentence. */
	readonly problem = signal("");
	/** Notes that were chosen on the timeline. */
	readonly chosen = signal<ReadonlySet<string>>(new Set());

	/** The state of the session at the clock's moment. */
	readonly view: ReadonlySignal<View>;
	readonly chapter: ReadonlySignal<Chapter | null>;
	/** Ids of who speaks, joined by commas: equal strings do not render anew. */
	readonly speaking: ReadonlySignal<string>;
	readonly offRecord: ReadonlySignal<Interval | null>;
	readonly missingNow: ReadonlySignal<Missing | null>;
	readonly skip: ReadonlySignal<number | null>;
	readonly notesNow: ReadonlySignal<string>;
	/** Members whose camera or screen has a picture just now, by track. */
	#moments = new Map<string, number>();

	constructor(id: string, r: Replay) {
		this.id = id;
		this.you = r.you;
		this.may = new Set((r.may ?? []) as Action[]);
		const last = Math.max(r.duration, ...r.segments.map((s) => (r.duration > 0 && endedOf(r) ? 0 : s.end)));
		this.events = r.events as Event[];
		this.history = new History(this.events, last);
		this.plays = r.segments.length === 0 || playsAll(r.segments);
		this.tracks = this.plays ? tracksOf(r.segments) : [];
		this.heard = union(
			r.segments.map((s) => ({ from: s.start, to: s.end })),
			SEAM,
		);
		this.missing = missingOf(this.events, this.history.duration);
		this.unheard = this.ended ? unheardOf(this.events, this.history.recorded, r.segments) : new Map();
		for (const n of this.history.end.notes) this.#moments.set(n.id, this.history.momentOfNote(n));
		this.notes = [...this.history.end.notes].sort((a, b) => this.momentOf(a) - this.momentOf(b));
		this.conductor = new Conductor(this.history, this.#start());

		const { time } = this.conductor;
		const h = this.history;
		this.view = computed(() => h.viewAt(time.value));
		this.chapter = computed(() => h.chapterAt(time.value));
		this.speaking = computed(() => h.speakersAt(time.value).join(","));
		const off = computed(() => {
			const o = h.offRecordAt(time.value);
			return o ? `${o.from} ${o.to}` : "";
		});
		this.offRecord = computed(() => {
			if (!off.value) return null;
			const [from, to] = off.value.split(" ").map(Number);
			return { from: from!, to: to! };
		});
		this.missingNow = computed(() => this.missing.findLast((m) => m.from <= time.value && time.value < m.to) ?? null);
		this.skip = computed(() => h.skipFrom(time.value, this.heard));
		this.notesNow = computed(() => this.#notesAt(time.value).join(","));
	}

	/** Where there is something first: a link's moment, or what was recorded, or the clip's first motion. */
	#start(): number {
		const asked = Number(new URLSearchParams(globalThis.location?.search ?? "").get("t") || Number.NaN);
		if (Number.isFinite(asked)) return asked * 1000;
		return this.heard[0]?.from ?? Math.max(0, (this.history.firstRun ?? 0) - 1000);
	}

	get ended(): boolean {
		return (this.history.end.session.ended ?? 0) > 0;
	}

	/** The lesson itself was live: the teacher's camera is what people watched. */
	get lesson(): boolean {
		return this.history.end.session.kind === "live-lesson" && !this.history.end.clip;
	}

	get opened(): number {
		return this.history.end.session.opened;
	}

	get focal(): Member | undefined {
		return this.history.end.members.find((m) => m.role === "focal");
	}

	/** Whose faces there are: whoever took part, in the order in which they came. */
	get people(): Member[] {
		return this.history.end.members.filter((m) => m.role !== "observer" || this.tracks.some((t) => t.member === m.id));
	}

	/** Who can see this replay. */
	get readers(): number {
		return this.history.end.members.filter((m) => !this.history.removed.has(m.id)).length;
	}

	nameOf = (member: string): string => {
		return this.history.end.members.find((m) => m.id === member)?.name ?? "Somebody";
	};

	track(member: string, source: Source): Track | undefined {
		return this.tracks.find((t) => t.member === member && t.source === source);
	}

	/** Session time of a note, ms. */
	momentOf(n: Note): number {
		return this.#moments.get(n.id) ?? n.at;
	}

	#notesAt(t: number): string[] {
		const near = (n: Note) => {
			const at = this.momentOf(n);
			return t >= at - NOTE_BEFORE && t < at + NOTE_AFTER;
		};
		const shown = this.history.shownAt(t);
		const runs = (this.history.pieceAt(t)?.rate ?? 0) > 0;
		const inRange = (n: Note) =>
			runs && n.onClip && n.to > n.from && shown.position >= n.from && shown.position <= n.to;
		return this.notes.filter((n) => near(n) || inRange(n)).map((n) => n.id);
	}

	/** The last note that was begun by then: what the list keeps in sight. */
	noteAt(t: number): Note | null {
		return this.notes.findLast((n) => this.momentOf(n) - NOTE_BEFORE <= t) ?? null;
	}

	/** Shows the first moment, or the nearest, at which a place of the clip was shown. */
	seekClip(us: number): void {
		const t = this.history.momentFor(us);
		if (t !== null) this.conductor.seek(t);
	}

	seekNote(n: Note, on: "clip" | "conversation"): void {
		this.chosen.value = new Set([n.id]);
		if (on === "clip") this.seekClip(n.from);
		else this.conductor.seek(this.momentOf(n));
	}

	seekPause(by: 1 | -1): void {
		const c = this.pauseFrom(by);
		if (c) this.conductor.seek(c.from);
	}

	/** The pause before or after the moment. */
	pauseFrom(by: 1 | -1, t = this.conductor.now()): Chapter | undefined {
		const passed = this.history.passedAt(t);
		const inside = this.history.chapterAt(t) !== null;
		return this.history.chapters[by === 1 ? passed : passed - (inside ? 2 : 1)];
	}

	close(): void {
		this.conductor.close();
	}
}

function endedOf(r: Replay): boolean {
	return ((r.view as View | null)?.session?.ended ?? 0) > 0;
}
