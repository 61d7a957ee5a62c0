/** The clip of a call: its element follows the room's line, or for a while a line of one's own. */
import { computed, effect, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { Command, Playback, View, Watching } from "../event.gen.ts";
import { pageDisplay } from "../sync/display.ts";
import { Follower } from "../sync/follower.ts";
import { boundedAt, type Line, lineOf } from "../sync/line.ts";
import type { FollowerStatus, MediaLike } from "../sync/media.ts";
import { ownLine, ownPlayOrStop, ownSeek, ownStep } from "../sync/own.ts";

/** What the clip needs of the call. */
export interface ClipRoom {
	readonly view: Signal<View | null>;
	readonly you: Signal<string>;
	/** Session time now, ms. */
	now(): number;
	/** Tells the room something, if it can be reached. */
	tell(c: Command): void;
}

/** Whoever is behind for so long says so, ms: a start does not wait for them. */
const BEHIND = 1500;
/** A confirmation that was lost on its way is said again. */
const CONFIRM_AGAIN = 1500;

export class SharedClip {
	readonly following: Signal<FollowerStatus> = signal({ state: "still", soundRefused: false, error: 0 });
	/** The line of one's own, while one looks around alone. */
	readonly own: Signal<Line | null> = signal(null);
	/** Behind the others for so long that it is said. */
	readonly behind: Signal<boolean> = signal(false);
	readonly alone: ReadonlySignal<boolean> = computed(() => this.own.value !== null);
	#room: ClipRoom;
	#follower: Follower | null = null;
	#followed: "room" | "own" = "room";
	#stop: (() => void)[] = [];
	#behindTimer: ReturnType<typeof setTimeout> | undefined;

	constructor(room: ClipRoom) {
		this.#room = room;
		const again = setInterval(() => this.#confirmAgain(), CONFIRM_AGAIN);
		this.#stop.push(
			effect(() => this.#steer()),
			effect(() => this.#noticeBehind(this.following.value.state === "catching-up" && !this.alone.value)),
			() => clearInterval(again),
			() => clearTimeout(this.#behindTimer),
		);
	}

	close(): void {
		for (const stop of this.#stop.splice(0)) stop();
		this.#follower?.close();
		this.#follower = null;
	}

	/** The clip's element is there; gives how to let go of it. */
	attach(el: MediaLike): () => void {
		const clip = this.#room.view.peek()?.clip;
		const f = new Follower(el, {
			now: () => this.#room.now(),
			...(clip ? { rate: clip } : {}),
			display: pageDisplay,
			onReady: (seq) => {
				if (!this.alone.peek()) this.#room.tell({ type: "playback.ready", data: { seq } });
			},
			onShown: (seq, frame) => this.#shown(seq, frame),
			onStatus: (s) => {
				this.following.value = s;
			},
		});
		this.#follower = f;
		this.#steer();
		return () => {
			f.close();
			if (this.#follower === f) this.#follower = null;
		};
	}

	setMuted(muted: boolean): void {
		this.#follower?.setMuted(muted);
	}

	/** Clip time at which the clip is here, µs. */
	position(): number {
		return this.#follower?.target() ?? this.#room.view.peek()?.playback.position ?? 0;
	}

	/** Clip time at which the others are, µs. */
	othersAt(): number {
		const v = this.#room.view.peek();
		if (!v?.clip) return 0;
		return boundedAt(lineOf(v.playback, v.pauses, v.clip), this.#room.now());
	}

	/** Clip time of the picture that is seen here, µs: what a note is about. */
	seen(): number {
		return this.#follower?.shown() ?? this.#room.view.peek()?.playback.position ?? 0;
	}

	// ---- alone

	/** Leaves the others' line, or comes back to it. */
	lookAround(alone: boolean): void {
		const clip = this.#room.view.peek()?.clip;
		if (!clip || alone === this.alone.peek()) return;
		this.own.value = alone ? ownLine(this.seen(), this.#room.now(), clip) : null;
		this.#tellWatching();
	}

	playOrStop(): void {
		this.#change(ownPlayOrStop);
	}

	seek(us: number): void {
		this.#change((line, now, clip) => ownSeek(line, us, now, clip));
	}

	step(frames: number): void {
		this.#change((line, now, clip) => ownStep(line, frames, now, clip));
	}

	#change(how: typeof ownPlayOrStop): void {
		const clip = this.#room.view.peek()?.clip;
		const line = this.own.peek();
		if (clip && line) this.own.value = how(line, this.#room.now(), clip);
	}

	// ---- the room

	/** Follows a line before the page turns to what comes with it. */
	expect(playback: Playback): void {
		const v = this.#room.view.peek();
		if (v?.clip && !this.alone.peek()) this.#follower?.follow(lineOf(playback, v.pauses, v.clip));
	}

	/** A new connection: all is told anew. */
	welcome(): void {
		this.#follower?.reset();
		this.#followed = "room";
		this.#steer();
		this.#follower?.tellAgain();
		if (this.alone.peek() || this.behind.peek()) this.#tellWatching();
	}

	/** A pause has begun: whether its frame is shown is asked anew. */
	holdBegan(): void {
		this.#follower?.tellAgain();
	}

	#steer(): void {
		const v = this.#room.view.value;
		const own = this.own.value;
		if (!v?.clip || !this.#follower) return;
		const now = own ? "own" : "room";
		if (now !== this.#followed) this.#follower.reset(); // the numbers of the lines begin anew
		this.#followed = now;
		this.#follower.follow(own ?? lineOf(v.playback, v.pauses, v.clip));
	}

	#shown(seq: number, frame: number): void {
		const hold = this.#room.view.peek()?.hold;
		if (!hold || hold.seq !== seq || this.alone.peek()) return;
		this.#room.tell({ type: "hold.confirm", data: { hold: hold.id, frame, seq } });
	}

	#confirmAgain(): void {
		const hold = this.#room.view.peek()?.hold;
		if (hold && !this.alone.peek() && !hold.confirmed.includes(this.#room.you.peek())) this.#follower?.tellAgain();
	}

	#noticeBehind(now: boolean): void {
		clearTimeout(this.#behindTimer);
		if (now === this.behind.peek()) return;
		if (now) this.#behindTimer = setTimeout(() => this.#setBehind(true), BEHIND);
		else this.#setBehind(false);
	}

	#setBehind(behind: boolean): void {
		this.behind.value = behind;
		this.#tellWatching();
	}

	#tellWatching(): void {
		const watching: Watching = this.alone.peek() ? "own" : this.behind.peek() ? "behind" : "";
		this.#room.tell({ type: "member.watch", data: { watching } });
	}
}
