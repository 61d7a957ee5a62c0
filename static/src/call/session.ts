/** A running call: the wire, the view, the media, the follower and what this person chose, as signals that components read. */
import { batch, computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { Entry } from "../entry.ts";
import type { Action, Command, Event, Hello, Member, MemberDevices, View, Welcome } from "../event.gen.ts";
import { SessionClock } from "../sync/clock.ts";
import { fold } from "../sync/fold.ts";
import { announce, toast } from "../ui/Toast.tsx";
import { SharedClip } from "./clip.ts";
import { Connection, type ConnectionState, openSocket, Refused, type Socket } from "./connection.ts";
import { cameraSize, deviceSentence, getScreen, getTrack, type Input } from "./devices.ts";
import { Media, picturesOf, type Remote } from "./media.ts";
import { arrived, spoken } from "./say.ts";
import { PageTurn } from "./turning.ts";
import { Views } from "./views.ts";

export type Layout = "watching" | "talking";
export type Panel = "notes" | "people" | null;
export type Quality = "auto" | "720p" | "360p";

/** The state of the room: talking at a pause, and where there is nothing to watch. */
function roomOf(v: View | null): Layout {
	if (!v || v.clip || v.session.kind === "live-lesson") return v?.hold ? "talking" : "watching";
	return v.members.some((m) => m.screen && m.presence === "here") ? "watching" : "talking";
}

export class CallSession {
	readonly clock = new SessionClock();
	// What the room says.
	readonly view: Signal<View | null> = signal(null);
	readonly you = signal("");
	readonly may: Signal<ReadonlySet<Action>> = signal(new Set());
	readonly speaking: Signal<ReadonlySet<string>> = signal(new Set());
	readonly typing: Signal<ReadonlyMap<string, string>> = signal(new Map());
	readonly quality: Signal<ReadonlyMap<string, string>> = signal(new Map());
	// How we are connected.
	readonly state: Signal<ConnectionState> = signal("connecting");
	readonly bye: Signal<string | null> = signal(null);
	readonly voicesBlocked = signal(false);
	readonly mediaOk = signal(true);
	readonly clip: SharedClip;
	// What we send and get.
	readonly mic: Signal<MediaStreamTrack | null> = signal(null);
	readonly camera: Signal<MediaStreamTrack | null> = signal(null);
	readonly screen: Signal<MediaStreamTrack | null> = signal(null);
	readonly micOn = signal(false);
	readonly remote: Signal<Remote> = signal(new Map());
	readonly views: Views;
	// What this person chose.
	readonly devices: Signal<Entry["devices"]>;
	readonly together = signal(false);
	readonly clipQuality: Signal<Quality> = signal("auto");
	readonly layoutChoice: Signal<Layout | null> = signal(null);
	readonly panel: Signal<Panel> = signal("notes");

	readonly me: ReadonlySignal<Member | undefined> = computed(() => this.member(this.you.value));
	readonly layout: ReadonlySignal<Layout> = computed(() => this.layoutChoice.value ?? roomOf(this.view.value));

	#connection: Connection;
	#media: Media;
	#entry: Entry;
	#busy = new Set<string>();
	#ended = 0; // how often all devices were ended: what was asked for before that is not wanted when it comes
	#lastTyped = 0;
	#wasOn = { mic: false, camera: false };
	#told: MemberDevices | null = null; // which devices the room knows to be on
	#turn = new PageTurn({
		now: () => this.clock.now(),
		expect: (playback) => this.clip.expect(playback),
		letIn: (events) => {
			for (const e of events) this.#happened(e);
		},
	});

	constructor(sessionId: string, entry: Entry, open: () => Socket = () => openSocket(sessionId)) {
		this.#entry = entry;
		this.devices = signal(entry.devices);
		this.#media = new Media({
			send: (f) => this.#connection.signal(f),
			onRemote: (r) => {
				this.remote.value = r;
				this.views?.changed();
			},
			onHealth: (ok) => {
				this.mediaOk.value = ok;
			},
		});
		this.views = new Views(
			(views) => this.#connection.signal({ type: "rtc.views", data: { views } }),
			() => picturesOf(this.remote.peek()),
		);
		this.#takeTracks(entry);
		this.#connection = new Connection(
			{ open, clock: this.clock },
			{
				hello: () => this.#hello(),
				onWelcome: (w) => this.#welcome(w),
				onEvent: (e) => this.#event(e),
				onSignal: (f) => this.#media.onSignal(f),
				onState: (s) => this.#become(s),
				onBye: (b) => this.#goodbye(b.reason),
			},
		);
		this.clip = new SharedClip({
			view: this.view,
			you: this.you,
			now: () => this.clock.now(),
			tell: (c) => this.#connection.tell(c),
		});
		navigator.mediaDevices?.addEventListener?.("devicechange", this.#onDevices);
	}

	member(id: string): Member | undefined {
		return this.view.value?.members.find((m) => m.id === id);
	}

	/** Session time now, ms. */
	now(): number {
		return this.clock.now();
	}

	can(a: Action): boolean {
		return this.may.value.has(a);
	}

	// ---- asking

	/** Asks the room; what it refuses is told in its own words. Gives whether it was done. */
	async ask(c: Command): Promise<boolean> {
		try {
			await this.#connection.send(c);
			return true;
		} catch (e) {
			if (e instanceof Refused && this.bye.peek() === null && this.state.peek() !== "closed") toast(e.message);
			return false;
		}
	}

	/** A press that is not repeated while its answer is awaited; its opposite is another press. */
	async press(c: Command): Promise<void> {
		const key = JSON.stringify(c);
		if (this.#busy.has(key)) return;
		this.#busy.add(key);
		await this.ask(c);
		this.#busy.delete(key);
	}

	/** Goes on after the pause that the page shows. */
	goOn(): void {
		const hold = this.view.peek()?.hold;
		if (hold && this.may.peek().has("continue")) void this.press({ type: "hold.continue", data: { hold: hold.id } });
	}

	/** Whether this person moves the clip now: for everybody, or while they look around for themselves. */
	moves(): boolean {
		return this.clip.alone.value || (this.can("drive") && !this.view.value?.hold);
	}

	playOrStop(): void {
		if (this.clip.alone.peek()) {
			this.clip.playOrStop();
			return;
		}
		const mode = this.view.peek()?.playback.mode;
		if (!this.may.peek().has("drive") || mode === "holding") return;
		void this.press(mode === "stopped" ? { type: "playback.play", data: {} } : { type: "playback.stop", data: {} });
	}

	seek(us: number): void {
		if (this.clip.alone.peek()) this.clip.seek(us);
		else void this.ask({ type: "playback.seek", data: { position: Math.max(0, Math.round(us)) } });
	}

	step(frames: number): void {
		if (this.clip.alone.peek()) this.clip.step(frames);
		else void this.ask({ type: "playback.step", data: { frames } });
	}

	/** Looks around in the clip alone, or comes back to the others. */
	lookAround(alone: boolean): void {
		if (!this.view.peek()?.clip || alone === this.clip.alone.peek()) return;
		this.clip.lookAround(alone);
		announce(alone ? "You look around on your own. Press L to come back." : "You watch with the others again.");
	}

	/** Hands the controls to a peer; an empty id takes them back, or gives them back. */
	giveControls(to: string): Promise<void> {
		return this.press({ type: "controls.give", data: { to } });
	}

	/** One is writing; told at most every two seconds, and when it ends. */
	typed(what: "note" | "answer" | ""): void {
		const now = performance.now();
		if (what && now - this.#lastTyped < 2000) return;
		this.#lastTyped = what ? now : 0;
		this.#connection.tell({ type: "member.type", data: { what } });
	}

	reconnect(): void {
		this.bye.value = null;
		this.#connection.reconnect();
	}

	/** Whoever only watches has no device open: no light is on that nobody sees. */
	#letGo(): void {
		for (const source of ["audio", "camera", "screen", "screen-audio"] as const) void this.#media.set(source, null);
		this.#endDevices();
	}

	#endDevices(): void {
		this.#ended++;
		batch(() => {
			for (const t of [this.mic, this.camera, this.screen]) {
				t.peek()?.stop();
				t.value = null;
			}
			this.micOn.value = false;
		});
	}

	#goodbye(reason: string): void {
		this.#wasOn = { mic: this.micOn.peek(), camera: this.camera.peek() !== null };
		this.#media.close();
		batch(() => {
			this.#endDevices();
			this.bye.value = reason;
		});
	}

	/** Takes the call back from another tab, with the devices as they were. */
	comeBack(): void {
		const was = this.#wasOn;
		this.reconnect();
		if (was.mic) void this.setMic(true);
		if (was.camera) void this.setCamera(true);
	}

	/** Leaves, telling the others, and lets go of everything. */
	async leave(): Promise<void> {
		if (this.state.peek() === "open") {
			const said = this.#connection.send({ type: "member.leave", data: {} }, false).catch(() => {});
			await Promise.race([said, new Promise((r) => setTimeout(r, 800))]);
		}
		this.close();
	}

	close(): void {
		this.#turn.forget();
		navigator.mediaDevices?.removeEventListener?.("devicechange", this.#onDevices);
		this.#connection.close();
		this.#media.close();
		this.views.close();
		this.clip.close();
		this.#endDevices();
	}

	// ---- the clip

	/** The browser plays no sound before a click: then a button offers it. */
	soundBlocked(): void {
		this.voicesBlocked.value = true;
	}

	/** From a click: all sound plays. */
	turnOnSound(): void {
		this.voicesBlocked.value = false;
		this.clip.setMuted(this.together.peek());
		for (const el of document.querySelectorAll<HTMLAudioElement>('[data-testid="voice"]'))
			void el.play().catch(() => {});
	}

	// ---- the room

	#hello(): Hello {
		const { consent } = this.#entry;
		const mine = this.me.peek()?.consent;
		const first = consent === null ? "" : consent ? "agreed" : "declined";
		return { consent: mine || first, mic: this.micOn.peek(), camera: this.camera.peek() !== null };
	}

	#welcome(w: Welcome): void {
		if (!this.view.peek()) announce(arrived(w.view.members, w.you));
		this.#turn.forget();
		batch(() => {
			this.you.value = w.you;
			this.may.value = new Set(w.may);
			this.view.value = w.view;
			this.speaking.value = new Set();
			this.typing.value = new Map();
			this.quality.value = new Map();
			this.bye.value = null;
		});
		this.clip.welcome();
		if (!w.may.includes("publish")) this.#letGo();
		const lesson = this.#isStage();
		if (lesson)
			void this.camera
				.peek()
				?.applyConstraints(cameraSize(lesson))
				.catch(() => {});
		this.#media.connected(w.may.includes("publish"), lesson);
		this.views.forget();
		const me = this.me.peek();
		this.#told = me ? { mic: me.mic, camera: me.camera, screen: me.screen } : null;
		this.#tellDevices(); // of what changed since hello, too
	}

	#event(e: Event): void {
		const v = this.view.peek();
		if (!v) return;
		if (!v.clip || !this.#turn.keeps(e)) this.#happened(e);
	}

	#happened(e: Event): void {
		const v = this.view.peek();
		if (!v) return;
		switch (e.type) {
			case "member.speaking":
				this.speaking.value = new Set(e.data.members);
				return;
			case "member.typing":
				this.typing.value = changed(this.typing.peek(), e.data.member, e.data.what);
				return;
			case "member.quality":
				this.quality.value = changed(
					this.quality.peek(),
					e.data.member,
					e.data.quality === "good" ? "" : e.data.quality,
				);
				if (e.data.late !== undefined) this.#media.late(e.data.member, e.data.late);
				return;
			case "you.changed":
				this.#mayChanged(e.data.may);
				return;
		}
		const text = spoken(e, v, this.you.peek());
		if (text) announce(text);
		batch(() => {
			this.view.value = fold(v, e);
			if (e.type === "hold.began" || e.type === "hold.ended") this.layoutChoice.value = null;
			if (e.type === "session.ended") this.bye.value = "ended";
		});
		if (e.type === "hold.began") this.clip.holdBegan();
	}

	#mayChanged(may: Action[]): void {
		const before = this.may.peek();
		this.may.value = new Set(may);
		const publish = may.includes("publish");
		if (publish === before.has("publish")) return;
		this.#media.setMayPublish(publish);
		if (!publish) this.#letGo();
		else toast("You can speak and be seen now. Turn your microphone on when you like.");
	}

	#become(s: ConnectionState): void {
		const before = this.state.peek();
		this.state.value = s;
		if (s === "lost" && before === "open") announce("Connection lost. You are brought back by itself.", "now");
		if (s === "open" && before === "lost") announce("You are connected again.");
	}

	// ---- devices

	#takeTracks(entry: Entry): void {
		const mic = entry.stream?.getAudioTracks()[0] ?? null;
		const camera = entry.stream?.getVideoTracks()[0] ?? null;
		if (mic) {
			mic.enabled = entry.mic;
			this.#setMicTrack(mic);
			this.micOn.value = entry.mic;
		} else if (entry.mic) void this.setMic(true);
		if (camera && entry.camera) this.#setCameraTrack(camera);
		else {
			camera?.stop();
			if (entry.camera) void this.setCamera(true);
		}
	}

	async setMic(on: boolean): Promise<void> {
		if (on && !this.mic.peek()) {
			const track = await this.#getTrack("mic");
			if (!track) return;
			this.#setMicTrack(track);
		}
		const track = this.mic.peek();
		if (track) track.enabled = on;
		if (this.micOn.peek() === on) return;
		this.micOn.value = on;
		announce(on ? "Your microphone is on." : "Your microphone is off.");
		this.#tellDevices();
	}

	async setCamera(on: boolean): Promise<void> {
		if (on === (this.camera.peek() !== null)) return;
		if (on) {
			const track = await this.#getTrack("camera");
			if (!track) return;
			this.#setCameraTrack(track);
		} else {
			this.camera.peek()?.stop();
			this.camera.value = null;
			void this.#media.set("camera", null);
		}
		announce(on ? "Your camera is on." : "Your camera is off.");
		this.#tellDevices();
	}

	async shareScreen(): Promise<void> {
		if (this.screen.peek()) return this.stopScreen();
		const [video, audio] = await this.#get("screen", getScreen);
		if (!video) return;
		video.addEventListener("ended", () => this.screen.peek() === video && void this.stopScreen());
		this.screen.value = video;
		void this.#media.set("screen", video);
		if (audio) void this.#media.set("screen-audio", audio);
		this.#tellDevices();
	}

	async stopScreen(): Promise<void> {
		const track = this.screen.peek();
		if (!track) return;
		track.stop();
		this.screen.value = null;
		void this.#media.set("screen", null);
		void this.#media.set("screen-audio", null);
		this.#tellDevices();
	}

	/** Another device takes the place of the one in use, without the others noticing more than a blink. */
	async choose(what: keyof Entry["devices"], id: string): Promise<void> {
		this.devices.value = { ...this.devices.peek(), [what]: id };
		if (what === "mic" && this.mic.peek()) {
			const track = await this.#getTrack("mic");
			if (!track) return;
			track.enabled = this.micOn.peek();
			this.mic.peek()?.stop();
			this.#setMicTrack(track);
		} else if (what === "camera" && this.camera.peek()) {
			const track = await this.#getTrack("camera");
			if (!track) return;
			this.camera.peek()?.stop();
			this.#setCameraTrack(track);
		}
	}

	async #getTrack(what: "mic" | "camera"): Promise<MediaStreamTrack | undefined> {
		const [track] = await this.#get(what, async () => [
			await getTrack(what, this.devices.peek()[what], this.#isStage()),
		]);
		return track;
	}

	/** Asks for a device. No track comes of it where that fails, or where all devices were ended before it was answered. */
	async #get(what: Input, ask: () => Promise<MediaStreamTrack[]>): Promise<MediaStreamTrack[]> {
		if (this.#busy.has(what)) return [];
		this.#busy.add(what);
		const ended = this.#ended;
		try {
			const tracks = await ask();
			if (ended === this.#ended) return tracks;
			for (const t of tracks) t.stop();
		} catch (e) {
			toast(deviceSentence(what, e));
		} finally {
			this.#busy.delete(what);
		}
		return [];
	}

	/** Whether this camera is the stage of a live lesson. */
	#isStage(): boolean {
		return this.view.peek()?.session.kind === "live-lesson" && this.me.peek()?.role === "focal";
	}

	#setMicTrack(track: MediaStreamTrack): void {
		this.mic.value = track;
		track.addEventListener("ended", () => this.mic.peek() === track && void this.#gone("mic"));
		void this.#media.set("audio", track);
	}

	#setCameraTrack(track: MediaStreamTrack): void {
		this.camera.value = track;
		track.addEventListener("ended", () => this.camera.peek() === track && void this.#gone("camera"));
		void this.#media.set("camera", track);
	}

	/** A device was unplugged while in use: another one takes over, or it is off. */
	async #gone(what: "mic" | "camera"): Promise<void> {
		this.devices.value = { ...this.devices.peek(), [what]: "" };
		const wasOn = what === "camera" || this.micOn.peek();
		if (what === "mic") {
			this.mic.value = null;
			this.micOn.value = false;
			await this.#media.set("audio", null);
		} else await this.setCamera(false);
		this.#tellDevices();
		if (wasOn) await (what === "mic" ? this.setMic(true) : this.setCamera(true));
	}

	#onDevices = (): void => {
		for (const what of ["mic", "camera"] as const) {
			if (this[what].peek()?.readyState === "ended") void this.#gone(what);
		}
	};

	/** Tells which devices are on, if the room thinks otherwise. */
	#tellDevices(): void {
		const data = { mic: this.micOn.peek(), camera: this.camera.peek() !== null, screen: this.screen.peek() !== null };
		const { mic, camera, screen } = this.#told ?? {};
		if (mic === data.mic && camera === data.camera && screen === data.screen) return;
		if (this.state.peek() !== "open" || !this.may.peek().has("publish")) return;
		this.#told = data;
		void this.ask({ type: "member.devices", data });
	}
}

/** A copy with a value set, or without it where it is empty. */
function changed(m: ReadonlyMap<string, string>, key: string, value: string): ReadonlyMap<string, string> {
	const next = new Map(m);
	if (value) next.set(key, value);
	else next.delete(key);
	return next;
}
