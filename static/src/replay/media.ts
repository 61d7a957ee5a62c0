/** Recorded media in the browser: one media element per member and source, whose time is session time (MSE). */
import { type ReplaySegment, urls } from "../api.ts";
import type { Interval } from "./history.ts";
import { forget, nextToFetch, type Slot, TRIES, toDrop, toLeave } from "./window.ts";

export type Source = ReplaySegment["source"];

/** All segments of one member's source, by start. */
export interface Track {
	key: string;
	member: string;
	source: Source;
	mime: string;
	segments: ReplaySegment[];
}

/** The tracks of a manifest, in the order in which they begin. */
export function tracksOf(segments: ReplaySegment[]): Track[] {
	const out = new Map<string, Track>();
	for (const s of [...segments].sort((a, b) => a.start - b.start)) {
		const key = `${s.member}/${s.source}`;
		const track = out.get(key);
		if (track) track.segments.push(s);
		else out.set(key, { key, member: s.member, source: s.source, mime: s.mime, segments: [s] });
	}
	return [...out.values()];
}

type SourceConstructor = (new () => MediaSource) & { isTypeSupported(mime: string): boolean };

/** What the browser plays media from; iPhones have the managed kind only, old ones none. */
export function mediaSource(): SourceConstructor | null {
	const w = globalThis as { MediaSource?: SourceConstructor; ManagedMediaSource?: SourceConstructor };
	return w.MediaSource ?? w.ManagedMediaSource ?? null;
}

/** Whether this browser plays every kind of recorded media in a manifest. */
export function playsAll(segments: ReplaySegment[]): boolean {
	const kind = mediaSource();
	return kind !== null && [...new Set(segments.map((s) => s.mime))].every((mime) => kind.isTypeSupported(mime));
}

export interface BufferOptions {
	sessionId: string;
	track: Track;
	/** ms */
	duration: number;
	/** A sentence, when what was recorded cannot be had. */
	onProblem: (sentence: string) => void;
}

/** Less than this is not dropped on its own, ms. */
const WORTH = 10_000;
/** How long to wait before a segment whose transfer broke off is tried again, ms. */
const AGAIN = 1000;

/** Browsers count in µs, and some cut off what is less: a quarter more, and all of them count the same. */
function secondsOf(ms: number): number {
	return (ms * 1000 + 0.25) / 1e6;
}

/** Keeps the segments around a moment in a media element's buffer. One loop does all of it, so appends are in order. */
export class SegmentBuffer {
	readonly slots: Slot[];
	#el: HTMLMediaElement;
	#o: BufferOptions;
	#source: MediaSource;
	#url: string;
	#buffer: SourceBuffer | null = null;
	#t = 0;
	#closed = false;
	#wake: (() => void) | null = null;
	#loading: { slot: Slot; stop: AbortController } | null = null;

	constructor(el: HTMLMediaElement, o: BufferOptions) {
		this.#el = el;
		this.#o = o;
		this.slots = o.track.segments.map((s) => ({ id: s.id, start: s.start, end: s.end, state: "none", tries: 0 }));
		const Kind = mediaSource()!;
		this.#source = new Kind();
		this.#url = URL.createObjectURL(this.#source);
		// A managed source is refused where the picture could be sent to another screen.
		(el as { disableRemotePlayback?: boolean }).disableRemotePlayback = true;
		this.#source.addEventListener("sourceopen", () => this.#open(), { once: true });
		el.src = this.#url;
	}

	/** The moment around which media is kept, ms. */
	aim(t: number): void {
		this.#t = t;
		if (this.#loading && toLeave(this.#loading.slot, this.slots, t)) this.#loading.stop.abort();
		this.#wake?.();
	}

	/** What is there, session time in ms. */
	get buffered(): Interval[] {
		const b = this.#buffer;
		if (!b || this.#closed || this.#source.readyState === "closed") return [];
		const ranges = b.buffered;
		return Array.from({ length: ranges.length }, (_, i) => ({
			from: ranges.start(i) * 1000,
			to: ranges.end(i) * 1000,
		}));
	}

	close(): void {
		this.#closed = true;
		this.#loading?.stop.abort();
		this.#wake?.();
		this.#el.removeAttribute("src");
		this.#el.load();
		URL.revokeObjectURL(this.#url);
	}

	#open(): void {
		if (this.#closed) return;
		try {
			const last = Math.max(this.#o.duration, ...this.slots.map((s) => s.end));
			this.#source.duration = last / 1000 + 1;
			this.#buffer = this.#source.addSourceBuffer(this.#o.track.mime);
			this.#buffer.mode = "segments";
			void this.#run();
		} catch {
			for (const s of this.slots) s.state = "failed";
			this.#o.onProblem("This browser cannot play what was recorded.");
		}
	}

	async #run(): Promise<void> {
		while (!this.#closed) {
			await this.#dropFar();
			const slot = nextToFetch(this.slots, this.#t);
			if (slot) await this.#load(slot);
			else await this.#nap();
		}
	}

	/** Until the moment moves on. */
	#nap(ms = 60_000): Promise<void> {
		return new Promise((done) => {
			const timer = setTimeout(() => wake(), ms);
			const wake = () => {
				clearTimeout(timer);
				this.#wake = null;
				done();
			};
			this.#wake = wake;
		});
	}

	async #dropFar(): Promise<void> {
		for (const far of toDrop(this.buffered, this.#t)) {
			if (this.#closed || far.to - far.from < WORTH) continue;
			this.#buffer!.remove(Math.max(0, far.from / 1000), far.to / 1000);
			await this.#updated();
			forget(this.slots, far);
		}
	}

	async #load(slot: Slot): Promise<void> {
		const stop = new AbortController();
		this.#loading = { slot, stop };
		slot.state = "loading";
		try {
			const answer = await fetch(urls.segment(this.#o.sessionId, slot.id), { signal: stop.signal });
			if (!answer.ok) return this.#refused(slot, answer.status);
			this.#place(slot);
			await this.#pour(answer);
			slot.state = "done";
		} catch (e) {
			await this.#brokeOff(slot, stop.signal.aborted, e);
		} finally {
			this.#loading = null;
		}
	}

	/**
	 * What follows is this segment's file from its beginning, up to where the next one begins. Of a picture that reaches into the next file's
	 * first, if that is there already, browsers would drop all of that file: nothing in it can be decoded without its first picture.
	 */
	#place(slot: Slot): void {
		const b = this.#buffer!;
		b.abort(); // the parser forgets the file before, which had no end
		b.timestampOffset = secondsOf(slot.start);
		const next = this.slots.find((s) => s.start > slot.start);
		if (next) b.appendWindowEnd = secondsOf(next.start);
	}

	async #pour(answer: Response): Promise<void> {
		if (!answer.body) return this.#append(await answer.arrayBuffer());
		const reader = answer.body.getReader();
		for (;;) {
			const { done, value } = await reader.read();
			if (done) return;
			await this.#append(value);
		}
	}

	async #append(data: BufferSource): Promise<void> {
		if (this.#closed) throw new DOMException("closed", "AbortError");
		try {
			this.#buffer!.appendBuffer(data);
		} catch (e) {
			if ((e as Error).name !== "QuotaExceededError") throw e;
			await this.#makeRoom();
			this.#buffer!.appendBuffer(data);
		}
		await this.#updated();
	}

	/** The browser holds no more: all but the moment's surroundings goes. */
	async #makeRoom(): Promise<void> {
		const before = { from: 0, to: Math.max(0, this.#t - 2000) };
		if (before.to <= 0) return;
		this.#buffer!.remove(0, before.to / 1000);
		await this.#updated();
		forget(this.slots, before);
	}

	#updated(): Promise<void> {
		const b = this.#buffer!;
		if (!b.updating) return Promise.resolve();
		return new Promise((done, fail) => {
			const settle = (ok: boolean) => () => {
				b.removeEventListener("updateend", good);
				b.removeEventListener("error", bad);
				ok ? done() : fail(new Error("the file cannot be read"));
			};
			const good = settle(true);
			const bad = settle(false);
			b.addEventListener("updateend", good);
			b.addEventListener("error", bad);
		});
	}

	#refused(slot: Slot, status: number): void {
		slot.state = "failed";
		if (status === 401 || status === 403) {
			for (const s of this.slots) if (s.state === "none") s.state = "failed";
			this.#o.onProblem("You may not see this recording any more. Ask whoever planned the session.");
		} else if (status === 404 || status === 410) {
			this.#o.onProblem("A part of the recording is not kept any more. The rest plays.");
		} else if (status === 503) {
			this.#o.onProblem(
				"A part of the recording is still on its way from another server. Load this page again in a few minutes.",
			);
		} else if (++slot.tries < TRIES) slot.state = "none";
		else this.#o.onProblem("A part of the recording did not arrive. The rest plays.");
	}

	async #brokeOff(slot: Slot, left: boolean, e: unknown): Promise<void> {
		if (this.#closed) return;
		slot.state = "none";
		if (left) return;
		if (this.#el.error || this.#source.readyState !== "open") {
			for (const s of this.slots) s.state = "failed"; // the element gave up; nothing more can be put in
			this.#o.onProblem("A part of the recording cannot be played. The rest plays.");
			return;
		}
		const unreadable = !(e instanceof TypeError);
		if (unreadable || ++slot.tries >= TRIES) {
			slot.state = "failed";
			this.#o.onProblem("A part of the recording did not arrive. The rest plays.");
		} else await this.#nap(AGAIN * slot.tries);
	}
}
