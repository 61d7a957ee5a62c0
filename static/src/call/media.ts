/**
 * A member's media: two PeerConnections. On "publish" the client always offers, on "subscribe" the server does, so that
 * offers never cross. A new WebSocket is a new peer on the server: then both are built from scratch.
 */
import type { Frame, PC, RTCTrack } from "../event.gen.ts";
import { Buffering } from "./buffering.ts";

export type Source = "audio" | "camera" | "screen" | "screen-audio";
const sources: Source[] = ["audio", "camera", "screen", "screen-audio"];

/** What others send, by member and source. */
export type Remote = ReadonlyMap<string, Partial<Record<Source, MediaStream>>>;

export interface MediaHandlers {
	send: (f: Frame) => void;
	onRemote: (r: Remote) => void;
	/** How the connections are: all is well, or one is being mended. */
	onHealth: (ok: boolean) => void;
}

/**
 * What is sent of each source. Pictures are sent in layers of rising size: everybody gets the one that fits the place where it is
 * shown, and their network. The smallest one is for faces beside a clip that plays: 10 pictures of it a second leave a small machine the time
 * to show the clip's.
 */
const encodings: Record<Source | "lesson", RTCRtpEncodingParameters[]> = {
	audio: [{ maxBitrate: 40_000 }],
	"screen-audio": [{ maxBitrate: 96_000 }],
	camera: [
		{ rid: "q", scaleResolutionDownBy: 4, maxBitrate: 100_000, maxFramerate: 10 },
		{ rid: "h", scaleResolutionDownBy: 2, maxBitrate: 300_000 },
		{ rid: "f", maxBitrate: 900_000 },
	],
	lesson: [
		{ rid: "q", scaleResolutionDownBy: 4, maxBitrate: 150_000 },
		{ rid: "h", scaleResolutionDownBy: 2, maxBitrate: 500_000 },
		{ rid: "f", maxBitrate: 1_800_000 },
	],
	screen: [
		{ rid: "h", scaleResolutionDownBy: 2, maxBitrate: 250_000, maxFramerate: 5 },
		{ rid: "f", maxBitrate: 1_800_000 },
	],
};

/** Which publication a stream of another member is. */
const publications = new WeakMap<MediaStream, string>();

/** The publications of all pictures that are received. */
export function picturesOf(remote: Remote): string[] {
	return [...remote.values()].flatMap((s) => [s.camera, s.screen]).flatMap((s) => (s && publicationOf(s)) ?? []);
}

export function publicationOf(stream: MediaStream): string | undefined {
	return publications.get(stream);
}

/** A connection that was lost for so long is mended by us, without waiting for the browser to give it up. */
const MEND_AFTER = 4000;
/** An offer that was not answered for so long is made anew. */
const NO_ANSWER = 6000;

export class Media {
	#h: MediaHandlers;
	#tracks = new Map<Source, MediaStreamTrack>();
	#publish: Publisher | null = null;
	#subscribe: Subscriber | null = null;
	#mayPublish = false;
	#lesson = false;
	#bad = new Set<PC>();
	#offers = 0; // of all publish connections: an answer is for one offer
	#relays: RTCIceServer[] = [];
	#late = new Map<string, number>(); // by member, see Buffering

	constructor(handlers: MediaHandlers) {
		this.#h = handlers;
	}

	/** After each welcome: the server knows nothing of older connections. lesson: the camera is the stage of a live lesson. */
	connected(mayPublish: boolean, lesson: boolean): void {
		this.#mayPublish = mayPublish;
		this.#lesson = lesson;
		this.#subscribe?.close();
		this.#subscribe = null;
		this.#late.clear(); // it is told anew
		this.#h.onRemote(new Map());
		this.#remake();
	}

	/** The role changed: whoever may not publish any more has no publish connection. */
	setMayPublish(may: boolean): void {
		if (may === this.#mayPublish) return;
		this.#mayPublish = may;
		this.#remake();
	}

	/** Sends a track as a source, another one instead of it, or nothing. */
	async set(source: Source, track: MediaStreamTrack | null): Promise<void> {
		if (track) this.#tracks.set(source, track);
		else this.#tracks.delete(source);
		if (!this.#mayPublish) return;
		if (!this.#publish && track) this.#remake();
		else await this.#publish?.set(source, track);
	}

	/** How late, ms, comes what was lost on its way from a member to the server. */
	late(member: string, ms: number): void {
		this.#late.set(member, ms);
	}

	/** A frame about media from the server. */
	onSignal(f: Frame): void {
		switch (f.type) {
			case "rtc.offer":
				this.#subscriber().offer(f.data.offer, f.data.sdp, f.data.tracks ?? {});
				break;
			case "rtc.answer":
				this.#publish?.answer(f.data.offer, f.data.sdp);
				break;
			case "rtc.candidate":
				(f.data.pc === "publish" ? this.#publish : this.#subscribe)?.candidate(f.data);
				break;
			case "rtc.relays":
				this.#relays = f.data.servers;
				break;
			case "rtc.wanted":
				void this.#publish?.want(f.data.source as Source, f.data.height);
				break;
			case "rtc.restart":
				if (f.data.pc === "publish") this.#remake();
				else {
					this.#subscribe?.close();
					this.#subscribe = null;
				}
				break;
		}
	}

	close(): void {
		this.#publish?.close();
		this.#subscribe?.close();
		this.#publish = this.#subscribe = null;
		for (const t of this.#tracks.values()) t.stop();
		this.#tracks.clear();
	}

	#remake(): void {
		this.#publish?.close();
		this.#publish = null;
		if (!this.#mayPublish || this.#tracks.size === 0) return;
		this.#publish = new Publisher(
			this.#relays,
			this.#h.send,
			(ok) => this.#health("publish", ok),
			this.#lesson,
			() => ++this.#offers,
			() => {
				this.#h.send({ type: "rtc.restart", data: { pc: "publish" } });
				this.#remake();
			},
		);
		for (const [source, track] of this.#tracks) void this.#publish.set(source, track);
	}

	#subscriber(): Subscriber {
		this.#subscribe ??= new Subscriber(
			this.#relays,
			this.#h.send,
			(ok) => this.#health("subscribe", ok),
			this.#h.onRemote,
			this.#late,
		);
		return this.#subscribe;
	}

	#health(pc: PC, ok: boolean): void {
		if (ok) this.#bad.delete(pc);
		else this.#bad.add(pc);
		this.#h.onHealth(this.#bad.size === 0);
	}
}

/** What both connections do: candidates, one step after another, and noticing that they are broken. */
abstract class Side {
	protected pc: RTCPeerConnection;
	protected closed = false;
	#steps: Promise<void> = Promise.resolve();
	#early: RTCIceCandidateInit[] = [];
	#mend: ReturnType<typeof setTimeout> | undefined;

	constructor(
		relays: RTCIceServer[],
		protected name: PC,
		protected send: (f: Frame) => void,
		private health: (ok: boolean) => void,
	) {
		this.pc = new RTCPeerConnection({ bundlePolicy: "max-bundle", iceServers: relays });
		this.pc.onicecandidate = (e) => {
			const c = e.candidate;
			if (!c || this.closed) return;
			this.send({
				type: "rtc.candidate",
				data: { pc: name, candidate: c.candidate, sdpMid: c.sdpMid ?? "", sdpMLineIndex: c.sdpMLineIndex ?? 0 },
			});
		};
		this.pc.onconnectionstatechange = () => this.#changed();
	}

	close(): void {
		if (this.closed) return;
		this.closed = true;
		clearTimeout(this.#mend);
		this.pc.onicecandidate = this.pc.onconnectionstatechange = null;
		this.pc.close();
		this.health(true);
	}

	candidate(c: RTCIceCandidateInit): void {
		if (!c.candidate) return;
		if (this.pc.remoteDescription) void this.pc.addIceCandidate(c).catch(() => {});
		else this.#early.push(c);
	}

	/** Steps of a negotiation run one after the other; one that fails is mended, not repeated. */
	protected step(run: () => Promise<void>): Promise<void> {
		this.#steps = this.#steps.then(async () => {
			if (this.closed) return;
			try {
				await run();
			} catch (e) {
				if (!this.closed) this.broken(e);
			}
		});
		return this.#steps;
	}

	protected async remote(type: RTCSdpType, sdp: string): Promise<void> {
		await this.pc.setRemoteDescription({ type, sdp });
		for (const c of this.#early.splice(0)) await this.pc.addIceCandidate(c).catch(() => {});
	}

	protected abstract broken(cause?: unknown): void;

	#changed(): void {
		clearTimeout(this.#mend);
		switch (this.pc.connectionState) {
			case "connected":
				this.health(true);
				break;
			case "disconnected":
				this.health(false);
				this.#mend = setTimeout(() => this.broken(), MEND_AFTER);
				break;
			case "failed":
				this.health(false);
				this.broken();
				break;
		}
	}
}

/**
 * Offers one codec before the others. Redundant sound (RFC 2198): each packet repeats the one before it, so that a lost one is not
 * heard. VP8: every browser shows it, and replays play it as it was recorded.
 */
function prefer(t: RTCRtpTransceiver, kind: "audio" | "video", mime: string): void {
	const codecs = RTCRtpReceiver.getCapabilities?.(kind)?.codecs ?? [];
	const first = codecs.filter((c) => c.mimeType.toLowerCase() === mime);
	if (first.length === 0) return;
	t.setCodecPreferences([...first, ...codecs.filter((c) => !first.includes(c))]);
}

/**
 * Which layers are sent, of rising height in lines: up to the smallest that fills a place of so many lines, and always the smallest.
 */
export function layersFor(heights: number[], wanted: number): boolean[] {
	return heights.map((_, i) => i === 0 || heights[i - 1]! < wanted);
}

class Publisher extends Side {
	#transceivers = new Map<Source, RTCRtpTransceiver>();
	#wanted = new Map<Source, number>(); // lines of the tallest place in which somebody shows it
	#active = new Set<Source>();
	#answered: ((sdp: string) => void) | null = null;
	#offered = 0; // the newest offer
	#number: () => number;
	#again = false;
	#negotiating = false;
	#remake: () => void;
	#lesson: boolean;
	#late: ReturnType<typeof setTimeout> | undefined;

	constructor(
		relays: RTCIceServer[],
		send: (f: Frame) => void,
		health: (ok: boolean) => void,
		lesson: boolean,
		number: () => number,
		remake: () => void,
	) {
		super(relays, "publish", send, health);
		this.#lesson = lesson;
		this.#number = number;
		this.#remake = remake;
	}

	/** A camera that is off stays published and sends nothing; a screen that is not shared any more is taken away. */
	async set(source: Source, track: MediaStreamTrack | null): Promise<void> {
		const t = this.#transceivers.get(source);
		if (!t && !track) return;
		if (!t) this.#transceivers.set(source, this.#add(source, track!));
		else await t.sender.replaceTrack(track).catch(() => {});
		const was = this.#active.has(source);
		const is = track !== null || source === "audio" || source === "camera";
		if (is) this.#active.add(source);
		else this.#active.delete(source);
		if (was !== is) this.#negotiate();
		if (track) void this.#shape(source);
	}

	/** Sends no larger layers of a picture than are of use to somebody. */
	want(source: Source, height: number): Promise<void> {
		this.#wanted.set(source, height);
		return this.#shape(source);
	}

	/** An answer to an older offer, of this connection or of one before it, is dropped. */
	answer(offer: number, sdp: string): void {
		if (offer === this.#offered) this.#answered?.(sdp);
	}

	override close(): void {
		clearTimeout(this.#late);
		super.close();
	}

	protected broken(): void {
		this.close();
		this.#remake();
	}

	#add(source: Source, track: MediaStreamTrack): RTCRtpTransceiver {
		const sendEncodings = encodings[source === "camera" && this.#lesson ? "lesson" : source];
		const t = this.pc.addTransceiver(track, { direction: "sendonly", sendEncodings });
		if (source === "audio") prefer(t, "audio", "audio/red");
		else if (source !== "screen-audio") prefer(t, "video", "video/vp8");
		return t;
	}

	#shape(source: Source): Promise<void> {
		return this.step(async () => {
			const wanted = this.#wanted.get(source);
			const sender = this.#transceivers.get(source)?.sender;
			if (wanted === undefined || !sender) return;
			const height = sender.track?.getSettings().height;
			if (!height) return;
			const p = sender.getParameters();
			const of = layersFor(
				p.encodings.map((e) => height / (e.scaleResolutionDownBy ?? 1)),
				wanted,
			);
			if (p.encodings.every((e, i) => e.active === of[i])) return;
			p.encodings.forEach((e, i) => {
				e.active = of[i]!;
			});
			await sender.setParameters(p).catch(() => {}); // all layers are sent then, which costs and harms nothing
		});
	}

	/** One offer at a time; what changes meanwhile is in the next one. */
	#negotiate(): void {
		this.#again = true;
		if (this.#negotiating) return;
		this.#negotiating = true;
		void this.step(async () => {
			while (this.#again && !this.closed) {
				this.#again = false;
				await Promise.resolve(); // what is set in one go is offered in one go
				await this.#offer();
			}
			this.#negotiating = false;
		});
	}

	async #offer(): Promise<void> {
		await this.pc.setLocalDescription(await this.pc.createOffer());
		const named: Record<string, string> = {};
		for (const s of sources) {
			const mid = this.#transceivers.get(s)?.mid;
			if (mid && this.#active.has(s)) named[mid] = s;
		}
		const answer = new Promise<string>((resolve) => {
			this.#answered = resolve;
		});
		clearTimeout(this.#late);
		this.#late = setTimeout(() => this.broken(), NO_ANSWER);
		this.#offered = this.#number();
		const sdp = this.pc.localDescription!.sdp;
		this.send({ type: "rtc.offer", data: { pc: "publish", offer: this.#offered, sdp, sources: named } });
		const answered = await answer;
		clearTimeout(this.#late);
		if (!this.closed) await this.remote("answer", answered);
	}
}

class Subscriber extends Side {
	#streams = new Map<string, MediaStream>(); // by publication: an element keeps its stream when others come and go
	#onRemote: (r: Remote) => void;
	#buffering: Buffering;

	constructor(
		relays: RTCIceServer[],
		send: (f: Frame) => void,
		health: (ok: boolean) => void,
		onRemote: (r: Remote) => void,
		late: ReadonlyMap<string, number>,
	) {
		super(relays, "subscribe", send, health);
		this.#onRemote = onRemote;
		this.#buffering = new Buffering(this.pc, late);
	}

	override close(): void {
		this.#buffering.close();
		super.close();
	}

	offer(offer: number, sdp: string, tracks: Record<string, RTCTrack>): void {
		void this.step(async () => {
			await this.remote("offer", sdp);
			await this.pc.setLocalDescription(await this.pc.createAnswer());
			this.send({ type: "rtc.answer", data: { pc: "subscribe", offer, sdp: this.pc.localDescription!.sdp } });
			this.#list(tracks);
		});
	}

	/** The server builds a new one, or offers to mend this one. */
	protected broken(): void {
		if (!this.closed) this.send({ type: "rtc.restart", data: { pc: "subscribe" } });
	}

	#list(tracks: Record<string, RTCTrack>): void {
		const remote = new Map<string, Partial<Record<Source, MediaStream>>>();
		const streams = new Map<string, MediaStream>();
		for (const t of this.pc.getTransceivers()) {
			const named = t.mid ? tracks[t.mid] : undefined;
			if (!named) continue;
			const old = this.#streams.get(named.publication);
			const same = old?.getTracks()[0] === t.receiver.track;
			const stream = old && same ? old : new MediaStream([t.receiver.track]);
			streams.set(named.publication, stream);
			publications.set(stream, named.publication);
			remote.set(named.member, { ...remote.get(named.member), [named.source]: stream });
		}
		this.#streams = streams;
		this.#buffering.list(tracks);
		this.#onRemote(remote);
	}
}
