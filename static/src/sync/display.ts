/** What a video really displays, as far as browsers tell. */
import { type FrameRate, frameAt, frameStart } from "./line.ts";

/** What a follower asks of the page that its element is on. */
export interface Display {
	/** Nothing is painted at all just now: the tab lies behind others. */
	hidden(): boolean;
	/** The media time of the frame that an element displays just now, µs; null where there is none, or the browser does not tell. */
	frameOf(el: unknown): number | null;
	/** Runs it once what is displayed now has been painted; at once where the tab is hidden by then. Gives how to call it off. */
	painted(run: () => void): () => void;
}

/**
 * µs; no clip's second frame begins before. Firefox 153 tells whole seconds as if they were µs, 3 for 3.35 s: nothing below this can be
 * told from that, and is taken as not told.
 */
const SECOND_FRAME = 8000;

export const pageDisplay: Display = {
	hidden: () => document.visibilityState === "hidden",

	/**
	 * currentTime is the sound's clock, which the picture trails by some frames on a busy machine, and requestVideoFrameCallback tells
	 * of a frame only when the page's own thread comes to it, up to half a second late there. A VideoFrame of the element is the
	 * picture itself.
	 */
	frameOf(el) {
		try {
			const frame = new VideoFrame(el as HTMLVideoElement);
			const { timestamp } = frame;
			frame.close();
			return timestamp < SECOND_FRAME ? null : timestamp;
		} catch {
			return null;
		}
	},

	/** An animation frame's callback runs before that frame is painted: when the next one comes, it was. */
	painted(run) {
		let id = 0;
		const off = () => {
			cancelAnimationFrame(id);
			document.removeEventListener("visibilitychange", onVisibility);
		};
		const done = () => {
			off();
			run();
		};
		const onVisibility = () => pageDisplay.hidden() && done(); // animation frames stop with it
		document.addEventListener("visibilitychange", onVisibility);
		id = requestAnimationFrame(() => {
			id = requestAnimationFrame(done);
		});
		return off;
	},
};

/**
 * Whether the frame on which an element stands is on the screen. `seeked` says that it is decoded; it is displayed, and then painted,
 * some time after. In a hidden tab nothing is painted, and the element's time has to do.
 */
export class Painted {
	#display: Display;
	#onPainted: () => void;
	#frame = -1; // was displayed, and a paint has passed since
	#off: (() => void) | null = null; // a paint is awaited

	constructor(display: Display, onPainted: () => void) {
		this.#display = display;
		this.#onPainted = onPainted;
	}

	/** "soon": onPainted is called when it is. "no": another frame is displayed, if what the browser tells of it is heeded. */
	look(el: unknown, frame: number, rate: FrameRate, heeded = true): "yes" | "soon" | "no" {
		if (this.#display.hidden()) return "yes";
		const us = heeded ? this.#display.frameOf(el) : null;
		// Some browsers tell a frame's beginning, rounded; some the element's time, which is in the middle of a frame here.
		if (us !== null && frameAt(us + frameStart(1, rate) / 4, rate) !== frame) {
			this.forget();
			return "no";
		}
		if (this.#frame === frame) return "yes";
		this.#off ??= this.#display.painted(() => {
			this.#off = null;
			this.#frame = frame;
			this.#onPainted();
		});
		return "soon";
	}

	/** The element goes elsewhere. */
	forget(): void {
		this.#off?.();
		this.#off = null;
		this.#frame = -1;
	}
}
