/** What a follower is given, and what it tells. */
import type { Display } from "./display.ts";
import type { FrameRate } from "./line.ts";

/** What a follower needs of a media element; HTMLVideoElement and HTMLAudioElement have it. */
export interface MediaLike {
	currentTime: number;
	playbackRate: number;
	preservesPitch: boolean;
	muted: boolean;
	readonly paused: boolean;
	readonly seeking: boolean;
	readonly ended: boolean;
	readonly readyState: number;
	readonly duration: number;
	readonly buffered: { length: number; start(i: number): number; end(i: number): number };
	play(): Promise<void>;
	pause(): void;
	addEventListener(type: string, listener: () => void): void;
	removeEventListener(type: string, listener: () => void): void;
	requestVideoFrameCallback?(run: (now: number, frame: { mediaTime: number }) => void): number;
	cancelVideoFrameCallback?(id: number): void;
}

export interface FollowerStatus {
	/** Playing along: in step, getting there, or short of data. */
	state: "still" | "starting" | "playing" | "catching-up";
	/** The browser refused sound: playing muted, in step, until unmute() is called from a click. */
	soundRefused: boolean;
	/** Latest median distance to the line, ms; positive is behind. */
	error: number;
}

export interface FollowerOptions {
	/** Session time, ms. */
	now: () => number;
	/** The clip's frame rate; without one there are no frames, only times (a recorded voice). */
	rate?: FrameRate;
	/** The page that the element is on; without it, the element's own time is taken for what is seen. */
	display?: Display;
	/** A still line's place is shown: its frame, painted, for the line with this seq. Called once for each. */
	onShown?: (seq: number, frame: number) => void;
	/** The element could play from the line's place. Called once for each seq. */
	onReady?: (seq: number) => void;
	onStatus?: (s: FollowerStatus) => void;
}
