import { computed, type Signal, signal } from "@preact/signals";
import { frameAt, frameMiddle } from "../sync/line.ts";

export interface Playable {
	duration: number;
	frames: number;
	fpsNum: number;
	fpsDen: number;
}

/** One person's own player of one clip: plays, and stands on whole frames. The shared player of a call is another. */
export class Player {
	/** µs; while it stands, the middle of the frame in view. */
	readonly position = signal(0);
	readonly playing = signal(false);
	readonly failed = signal(false);
	readonly frame = computed(() => Math.min(this.clip.frames - 1, frameAt(this.position.value, this.clip)));
	readonly rate: Signal<number> = signal(1);
	private video: HTMLVideoElement | null = null;
	private drawing = 0;
	// A seek that was asked for while another one is under way; the latest one wins.
	private wanted: number | null = null;

	constructor(
		readonly clip: Playable,
		start = 0,
	) {
		this.position.value = frameMiddle(frameAt(start, clip), clip);
	}

	/** Takes the element, or lets go of it with null. */
	attach = (video: HTMLVideoElement | null): void => {
		cancelAnimationFrame(this.drawing);
		this.video = video;
		if (!video) return;
		video.currentTime = this.position.value / 1e6;
		video.onplay = () => {
			this.playing.value = true;
			this.follow();
		};
		video.onpause = () => this.stood();
		video.onended = () => this.stood();
		video.onseeked = () => this.settle();
		video.onerror = () => {
			this.failed.value = true;
		};
	};

	private follow = (): void => {
		if (!this.video || this.video.paused) return;
		this.position.value = Math.min(this.clip.duration, this.video.currentTime * 1e6);
		this.drawing = requestAnimationFrame(this.follow);
	};

	private stood(): void {
		cancelAnimationFrame(this.drawing);
		this.playing.value = false;
		if (!this.video?.seeking && this.wanted === null)
			this.show(frameAt((this.video?.currentTime ?? 0) * 1e6, this.clip));
	}

	private settle(): void {
		if (this.wanted === null || !this.video) return;
		const to = this.wanted;
		this.wanted = null;
		this.video.currentTime = to / 1e6;
	}

	/** Stands on a frame. */
	show(frame: number): void {
		const n = Math.max(0, Math.min(this.clip.frames - 1, Math.round(frame)));
		this.go(frameMiddle(n, this.clip));
	}

	seek(us: number): void {
		if (this.playing.value) this.go(Math.max(0, Math.min(this.clip.duration, us)));
		else this.show(frameAt(us, this.clip));
	}

	private go(us: number): void {
		this.position.value = us;
		if (!this.video) return;
		if (this.video.seeking) this.wanted = us;
		else this.video.currentTime = us / 1e6;
	}

	step(frames: number): void {
		this.stop();
		this.show(this.frame.value + frames);
	}

	stop(): void {
		this.video?.pause();
	}

	toggle(): void {
		const v = this.video;
		if (!v) return;
		if (!v.paused) v.pause();
		else void v.play().catch(() => undefined); // refused without a press; the button is the press
	}

	setRate(rate: number): void {
		this.rate.value = rate;
		if (this.video) this.video.playbackRate = rate;
	}
}

/** Whether a key belongs to what is being written or operated, and not to the player. */
export function isForTyping(e: KeyboardEvent): boolean {
	if (e.ctrlKey || e.metaKey || e.altKey || e.isComposing || e.defaultPrevented) return true;
	const t = e.target as HTMLElement | null;
	if (!t?.closest) return false;
	if (t.closest("dialog[open], [role=menu]")) return true;
	if (t.closest("textarea, select, [contenteditable]")) return true;
	const input = t.closest("input");
	if (input) return true;
	// space and Enter press a button or link that has the focus
	return (e.key === " " || e.key === "Enter") && !!t.closest("button, a, summary");
}

/** The keys of a player that is one's own; true if the key was one of them. */
export function playerKey(p: Player, e: KeyboardEvent): boolean {
	const long = e.shiftKey ? 10_000_000 : 1_000_000;
	switch (e.key) {
		case " ":
			p.toggle();
			break;
		case ",":
			p.step(-1);
			break;
		case ".":
			p.step(1);
			break;
		case "ArrowLeft":
			p.seek(p.position.value - long);
			break;
		case "ArrowRight":
			p.seek(p.position.value + long);
			break;
		default:
			return false;
	}
	e.preventDefault();
	return true;
}
