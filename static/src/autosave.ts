import { type Signal, signal } from "@preact/signals";
import { ApiError, sentenceOf } from "./api.ts";

export type SaveState =
	| { phase: "saved" | "unsaved" | "saving" }
	| { phase: "failed"; sentence: string; final: boolean };

/** Saves changes a moment after the last of them, one request at a time, and keeps what could not be saved. */
export class Autosave<T extends object> {
	readonly state: Signal<SaveState> = signal({ phase: "saved" });
	private waiting: Partial<T> = {};
	private timer: ReturnType<typeof setTimeout> | undefined;
	private running: Promise<void> | undefined;

	constructor(
		private readonly save: (change: Partial<T>) => Promise<void>,
		private readonly delay = 500,
	) {}

	/** Takes a change; a later one of the same field replaces it. */
	put(change: Partial<T>): void {
		this.waiting = { ...this.waiting, ...change };
		if (!this.running) this.state.value = { phase: "unsaved" };
		this.later(this.delay);
	}

	private later(ms: number): void {
		clearTimeout(this.timer);
		this.timer = setTimeout(() => void this.flush(), ms);
	}

	get pending(): boolean {
		return this.running !== undefined || Object.keys(this.waiting).length > 0;
	}

	/** Saves now what waits; resolves when nothing is under way. */
	async flush(): Promise<void> {
		clearTimeout(this.timer);
		if (this.running) await this.running;
		if (Object.keys(this.waiting).length === 0) return;
		this.running = this.send();
		await this.running;
	}

	private async send(): Promise<void> {
		const change = this.waiting;
		this.waiting = {};
		this.state.value = { phase: "saving" };
		try {
			await this.save(change);
			this.running = undefined;
			this.state.value = { phase: this.pending ? "unsaved" : "saved" };
		} catch (e) {
			this.running = undefined;
			this.waiting = { ...change, ...this.waiting };
			// What the server does not accept is not sent again until it was changed; a lost connection is.
			const final = e instanceof ApiError && e.status >= 400 && e.status < 500 && e.status !== 429;
			this.state.value = { phase: "failed", sentence: sentenceOf(e), final };
			if (!final) this.later(3000);
		}
	}
}
