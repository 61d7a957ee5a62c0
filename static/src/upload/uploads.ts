import { type Signal, signal } from "@preact/signals";
import { DetailedError, Upload } from "tus-js-client";
import { api } from "../api.ts";
import {
	type Answer,
	answerFrom,
	begin,
	mayRetry,
	next,
	refusalOf,
	type UploadEvent,
	type UploadState,
} from "./state.ts";

// Small enough for the proxies of schools, large enough for few round trips.
const CHUNK = 8 * 1024 * 1024;
// Half a minute between tries for as long as an hour; the browser's own "online" shortens it.
const DELAYS = [0, 1000, 2000, 5000, 10_000, ...Array<number>(120).fill(30_000)];

/** An upload of this window. It outlives the page that began it; after a reload the same file goes on where it stopped. */
export class ClipUpload {
	readonly state: Signal<UploadState>;
	private readonly tus: Upload;
	private readonly created: Promise<string>;
	private tries = 0; // counted, so that the end of an older one is not told of the newest
	private tellCreated: (clip: string) => void = () => undefined;

	/** With an uploadId it goes on with what the server has of it already. */
	constructor(
		readonly file: File,
		metadata: Record<string, string>,
		known?: { clip: string; uploadId: string },
	) {
		this.state = signal(begin(file.size, known?.clip));
		this.created = new Promise((tell) => {
			this.tellCreated = tell;
		});
		if (known) this.tellCreated(known.clip);
		this.tus = new Upload(file, {
			endpoint: "/api/uploads/",
			uploadUrl: known ? `/api/uploads/${encodeURIComponent(known.uploadId)}` : null,
			chunkSize: CHUNK,
			retryDelays: DELAYS,
			removeFingerprintOnSuccess: true,
			metadata: { filename: file.name, filetype: file.type, ...metadata },
			onUploadUrlAvailable: () => this.hasClip(clipOf(this.tus.url)), // an upload's id is its clip's
			onProgress: (sent) => this.tell({ type: "progress", sent }),
			onShouldRetry: (error) => {
				const retry = mayRetry(answerOf(error));
				if (retry) this.tell({ type: "lost" });
				return retry;
			},
			onError: (error) => void this.refused(answerOf(error)),
			onSuccess: () => {
				this.tell({ type: "sent" });
				window.removeEventListener("online", this.onOnline);
			},
		});
		window.addEventListener("online", this.onOnline);
	}

	private readonly onOnline = () => {
		if (this.state.value.phase === "waiting") this.resume();
	};

	private tell(e: UploadEvent): void {
		this.state.value = next(this.state.value, e);
	}

	/** To whoever is signed out the server says the same as to a stranger: who it is now is asked. */
	private async refused(answer: Answer): Promise<void> {
		const tried = this.tries;
		const me = answer.status === 403 ? await api.me().catch(() => null) : null;
		if (tried !== this.tries) return; // it was resumed meanwhile
		this.tell({ type: "failed", sentence: refusalOf(answer, me && me.account !== null) });
	}

	private hasClip(clip: string): void {
		if (!clip || this.state.value.clip === clip) return;
		this.tell({ type: "created", clip });
		uploads.value = new Map(uploads.value).set(clip, this);
		this.tellCreated(clip);
	}

	/** Resolves with the clip's id. An earlier try with the same file in this browser is continued. */
	async start(): Promise<string> {
		if (!this.tus.options.uploadUrl) {
			const earlier = await this.tus.findPreviousUploads().catch(() => []);
			const last = earlier.sort((a, b) => b.creationTime.localeCompare(a.creationTime))[0];
			if (last) {
				this.tus.resumeFromPreviousUpload(last);
			}
		} else uploads.value = new Map(uploads.value).set(this.state.value.clip, this);
		this.tus.start();
		return this.created;
	}

	async pause(): Promise<void> {
		this.tell({ type: "pause" });
		await this.tus.abort();
	}

	async resume(): Promise<void> {
		this.tries++;
		this.tell({ type: "resume" });
		await this.tus.abort().catch(() => undefined);
		this.tus.start();
	}

	/** Gives it up, here and on the server. */
	async giveUp(): Promise<void> {
		this.tell({ type: "pause" });
		window.removeEventListener("online", this.onOnline);
		await this.tus.abort(true).catch(() => undefined);
		const rest = new Map(uploads.value);
		rest.delete(this.state.value.clip);
		uploads.value = rest;
	}
}

/** The uploads of this window, by clip. */
export const uploads = signal<ReadonlyMap<string, ClipUpload>>(new Map());

function answerOf(error: unknown): Answer {
	const answer = error instanceof DetailedError ? error.originalResponse : null;
	return answer ? answerFrom(answer.getStatus(), answer.getBody()) : { status: 0 };
}

function clipOf(url: string | null): string {
	return decodeURIComponent(url?.split("/").pop() ?? "");
}

// Leaving would stop what is under way; the browser asks in its own words.
window.addEventListener("beforeunload", (e) => {
	const busy = [...uploads.value.values()].some((u) =>
		["starting", "sending", "waiting"].includes(u.state.value.phase),
	);
	if (busy) e.preventDefault();
});
