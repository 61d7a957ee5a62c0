/** What an upload goes through, without the network: events in, state out. */

export type Phase =
	| "starting"
	| "sending"
	| "paused"
	| "waiting" // the connection is gone; it goes on by itself
	| "sent"
	| "failed";

export interface UploadState {
	phase: Phase;
	/** Bytes that the server has. */
	sent: number;
	total: number;
	/** Once the server has given one. */
	clip: string;
	/** When it failed: what to do. */
	sentence: string;
}

export type UploadEvent =
	| { type: "created"; clip: string }
	| { type: "progress"; sent: number }
	| { type: "pause" }
	| { type: "resume" }
	| { type: "lost" }
	| { type: "failed"; sentence: string }
	| { type: "sent" };

export function begin(total: number, clip = ""): UploadState {
	return { phase: "starting", sent: 0, total, clip, sentence: "" };
}

export function next(s: UploadState, e: UploadEvent): UploadState {
	if (s.phase === "sent") return s; // nothing comes after it
	switch (e.type) {
		case "created":
			return { ...s, clip: e.clip };
		case "progress":
			// A late report must not wake a paused upload.
			if (s.phase === "paused" || s.phase === "failed") return { ...s, sent: bound(s, e.sent) };
			return { ...s, phase: "sending", sent: bound(s, e.sent) };
		case "pause":
			return s.phase === "failed" ? s : { ...s, phase: "paused" };
		case "resume":
			return s.phase === "sending" ? s : { ...s, phase: "starting", sentence: "" };
		case "lost":
			return s.phase === "paused" || s.phase === "failed" ? s : { ...s, phase: "waiting" };
		case "failed":
			return s.phase === "paused" ? s : { ...s, phase: "failed", sentence: e.sentence };
		case "sent":
			return { ...s, phase: "sent", sent: s.total };
	}
}

function bound(s: UploadState, sent: number): number {
	return Math.min(s.total, Math.max(0, sent));
}

/** One sentence for each phase. */
export function sayUpload(s: UploadState): string {
	switch (s.phase) {
		case "starting":
			return "Getting ready to send";
		case "sending":
			return "Sending. You may go to other pages here, but keep this window open.";
		case "paused":
			return "Paused. What has arrived is kept.";
		case "waiting":
			return "The connection is lost. It goes on by itself as soon as it is back.";
		case "sent":
			return "It is being prepared now, so that it stops on the same frame for everybody. You can leave this page.";
		case "failed":
			return s.sentence;
	}
}

/** What the server said to a part of an upload. */
export interface Answer {
	/** 0 when none came. */
	status: number;
	/** The server's code and sentence, where it gave some. */
	code?: string;
	message?: string;
}

/** Of an answer whose body is the server's JSON, or something of a proxy's. */
export function answerFrom(status: number, body: string): Answer {
	try {
		const { code, message } = JSON.parse(body).error;
		return {
			status,
			...(typeof code === "string" && { code }),
			...(typeof message === "string" && { message }),
		};
	} catch {
		return { status };
	}
}

const FULL = 507; // the server's disk

/** Whether another try may help. */
export function mayRetry({ status, code }: Answer): boolean {
	if (code === "too_many" || status === FULL) return false; // somebody has to make room first
	if (status === 0 || status >= 500) return true;
	return status === 408 || status === 409 || status === 423 || status === 429; // it holds another position, or is busy
}

const TOO_LARGE =
	"This file is larger than the 4 GB that the server takes. Cut it or save it smaller, then add it again.";

/** What happened and what to do; `signedIn` as the server says it now, null where it could not be asked. */
export function refusalOf({ status, message }: Answer, signedIn: boolean | null): string {
	if (status === 403 && signedIn === null)
		return "The server did not go on with this upload. Check that you are signed in, then add the same file again.";
	if (status === 401 || (status === 403 && !signedIn))
		return "You are signed out. Sign in again, then add the same file: it goes on where it stopped.";
	switch (status) {
		case 403:
			return "This upload belongs to another account. Sign in with that account, or add the file again as your own.";
		case 404:
		case 410:
			return "The server no longer has the part that it received. Add the file again.";
		case 413:
			return TOO_LARGE;
		default:
			return message || "The server did not take this file. Try again, or add another file.";
	}
}

const LIMIT = 4 * 1024 ** 3;

/** What keeps a file from being sent at all; empty when nothing does. The server looks into it later. */
export function fileProblem(f: { size: number; type: string; name: string }): string {
	if (f.size === 0) return "This file is empty. Choose another.";
	if (f.size > LIMIT) return TOO_LARGE;
	const video = f.type.startsWith("video/") || f.type === "" || f.type === "application/octet-stream";
	if (!video) return "This is no video. Choose the video of your lesson.";
	return "";
}

/** "VID_2026-05-12 fractions.mp4" → "VID 2026-05-12 fractions": something to begin a title with. */
export function titleOf(filename: string): string {
	return filename
		.replace(/\.[A-Za-z0-9]{2,5}$/, "")
		.replaceAll("_", " ")
		.trim()
		.slice(0, 120);
}
