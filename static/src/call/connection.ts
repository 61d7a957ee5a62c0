/** The wire of a call: one WebSocket that says hello, measures the clock, answers for commands and comes back by itself. */
import type { Answered, Bye, Command, Event, Frame, Hello, Pong, Problem, Welcome } from "../event.gen.ts";
import { PingSchedule, type SessionClock } from "../sync/clock.ts";
import { uuidv7 } from "./uuid.ts";

/** What a connection needs of a WebSocket. */
export interface Socket {
	send(text: string): void;
	close(): void;
	onopen: (() => void) | null;
	onmessage: ((e: { data: unknown }) => void) | null;
	onclose: (() => void) | null;
}

/** A command was not done; the message is a sentence for people. */
export class Refused extends Error {
	code: string;
	constructor(p: Problem) {
		super(p.message);
		this.code = p.code;
	}
}

export type ConnectionState = "connecting" | "open" | "lost" | "closed";

export interface ConnectionHandlers {
	/** The first frame of each connection. */
	hello: () => Hello;
	onWelcome: (w: Welcome) => void;
	onEvent: (e: Event) => void;
	/** Frames about media: rtc.* */
	onSignal: (f: Frame) => void;
	onState: (s: ConnectionState, tries: number) => void;
	/** The server closed for good: nothing comes back by itself. */
	onBye: (b: Bye) => void;
}

export interface ConnectionOptions {
	open: () => Socket;
	clock: SessionClock;
	random?: () => number;
}

interface Pending {
	text: string;
	sent: number;
	/** Said again after a reconnect; otherwise it is only of the moment. */
	keeps: boolean;
	resolve: () => void;
	reject: (e: Refused) => void;
}

const FIRST_WAIT = 300;
const LAST_WAIT = 5000;
/** Nothing was heard for so long (a pong is due each second): the connection is taken for lost. */
const SILENT = 4500;
/** A connection that held for so long begins anew with short waits when it is lost. */
const SETTLED = 5000;
/** What moves the player is not said again later than this: it would surprise. */
const STALE = 3000;
/** Reasons after which coming back by itself would be wrong. */
const FINAL = new Set(["replaced", "removed", "signed_out", "ended", "full", "invalid"]);

const lost: Problem = { code: "unavailable", message: "The connection was lost before that arrived. Try it again." };

export class Connection {
	#o: ConnectionOptions;
	#h: ConnectionHandlers;
	#socket: Socket | null = null;
	#state: ConnectionState = "connecting";
	#tries = 0;
	/** This load of the page, and how often it has connected: the server lets in no connection that is older than the one it has. */
	#page = uuidv7();
	#attempt = 0;
	#timer: ReturnType<typeof setTimeout> | undefined;
	#heard = 0;
	#asked = 0; // when the last hello was said
	#opened = 0; // when the last welcome came
	#pings: PingSchedule;
	#pending = new Map<string, Pending>();

	constructor(options: ConnectionOptions, handlers: ConnectionHandlers) {
		this.#o = options;
		this.#h = handlers;
		this.#pings = new PingSchedule(() => this.#ping());
		globalThis.addEventListener?.("online", this.#now);
		globalThis.document?.addEventListener("visibilitychange", this.#onVisible);
		this.#connect();
	}

	get state(): ConnectionState {
		return this.#state;
	}

	/** Asks for something. Resolves when what it did is durable; rejects with Refused. */
	send(command: Command, keeps = !command.type.startsWith("playback.")): Promise<void> {
		if (this.#state === "closed") return Promise.reject(new Refused(lost));
		const id = uuidv7();
		const text = JSON.stringify({ type: command.type, id, data: command.data });
		const done = new Promise<void>((resolve, reject) => {
			this.#pending.set(id, { text, keeps, sent: performance.now(), resolve, reject });
		});
		if (this.#state === "open") this.#socket?.send(text);
		return done;
	}

	/** Says something of the moment only: lost if the connection is, and nobody waits for an answer. */
	tell(command: Command): void {
		if (this.#state !== "open") return;
		this.#socket?.send(JSON.stringify({ type: command.type, id: uuidv7(), data: command.data }));
	}

	signal(frame: Frame): void {
		if (this.#state === "open") this.#socket?.send(JSON.stringify(frame));
	}

	/** Connects again now: for a button, and where it was closed by another tab. */
	reconnect(): void {
		if (this.#state === "closed") {
			globalThis.addEventListener?.("online", this.#now);
			globalThis.document?.addEventListener("visibilitychange", this.#onVisible);
		}
		this.#tries = 0;
		this.#drop();
		this.#connect();
	}

	/** Closes for good. What was not answered is refused. */
	close(): void {
		this.#drop();
		this.#end();
	}

	#end(): void {
		clearTimeout(this.#timer);
		globalThis.removeEventListener?.("online", this.#now);
		globalThis.document?.removeEventListener("visibilitychange", this.#onVisible);
		this.#become("closed");
		this.#refuse(() => true);
	}

	#connect(): void {
		clearTimeout(this.#timer);
		this.#become(this.#tries === 0 && this.#state !== "lost" ? "connecting" : "lost");
		this.#tries++;
		this.#heard = performance.now();
		const s = this.#o.open();
		this.#socket = s;
		const which = { page: this.#page, attempt: ++this.#attempt };
		s.onopen = () => {
			this.#asked = performance.now();
			s.send(JSON.stringify({ type: "hello", data: { ...this.#h.hello(), ...which } }));
		};
		s.onmessage = (e) => this.#receive(s, e.data);
		s.onclose = () => this.#lost(s);
		this.#timer = setTimeout(() => this.#watch(s), SILENT);
	}

	/** A connection that died without a word is found out by silence. */
	#watch(s: Socket): void {
		if (this.#socket !== s) return;
		const left = this.#heard + SILENT - performance.now();
		if (left <= 0) this.#lost(s);
		else this.#timer = setTimeout(() => this.#watch(s), left);
	}

	#lost(s: Socket): void {
		if (this.#socket !== s) return;
		this.#drop();
		// Only a connection that held for a while counts as well again: two tabs must not throw each other out in turns.
		if (this.#opened && performance.now() - this.#opened > SETTLED) this.#tries = 0;
		this.#opened = 0;
		this.#become("lost");
		const wait = Math.min(LAST_WAIT, FIRST_WAIT * 2 ** Math.min(10, Math.max(0, this.#tries - 1)));
		const random = (this.#o.random ?? Math.random)();
		this.#timer = setTimeout(() => this.#connect(), wait * (0.75 + random / 2));
	}

	#drop(): void {
		clearTimeout(this.#timer);
		this.#pings.stop();
		const s = this.#socket;
		this.#socket = null;
		if (!s) return;
		s.onopen = s.onmessage = s.onclose = null;
		s.close();
	}

	#receive(s: Socket, data: unknown): void {
		if (this.#socket !== s || typeof data !== "string") return;
		this.#heard = performance.now();
		const f = parse(data);
		if (!f) return;
		switch (f.type) {
			case "pong":
				this.#pong(f.data);
				break;
			case "reply":
				this.#reply(f.id, f.data);
				break;
			case "welcome":
				this.#welcome(f.data);
				break;
			case "bye":
				this.#bye(f.data);
				break;
			case "rtc.offer":
			case "rtc.answer":
			case "rtc.candidate":
			case "rtc.restart":
			case "rtc.wanted":
			case "rtc.relays":
				this.#h.onSignal(f);
				break;
			default:
				if (isEvent(f)) this.#h.onEvent(f);
		}
	}

	#welcome(w: Welcome): void {
		this.#o.clock.seed(w.now, this.#asked);
		this.#opened = performance.now();
		this.#become("open");
		this.#h.onWelcome(w);
		this.#pings.start();
		const now = performance.now();
		this.#refuse((p) => !p.keeps && now - p.sent > STALE);
		for (const p of this.#pending.values()) this.#socket?.send(p.text);
	}

	#bye(b: Bye): void {
		if (!FINAL.has(b.reason)) return; // the connection closes next, and comes back
		this.#drop();
		this.#end();
		this.#h.onBye(b);
	}

	#reply(id: string | undefined, answer: Answered): void {
		const p = id === undefined ? undefined : this.#pending.get(id);
		if (!p || id === undefined) return;
		this.#pending.delete(id);
		if (answer?.error) p.reject(new Refused(answer.error));
		else p.resolve();
	}

	#refuse(which: (p: Pending) => boolean): void {
		for (const [id, p] of this.#pending) {
			if (!which(p)) continue;
			this.#pending.delete(id);
			p.reject(new Refused(lost));
		}
	}

	#ping(): void {
		const rtt = this.#o.clock.rtt;
		this.signal({ type: "ping", data: { t0: performance.now(), ...(rtt === undefined ? {} : { rtt }) } });
	}

	#pong(p: Pong): void {
		this.#o.clock.sample(p.t0, p.t1, p.t2, performance.now());
	}

	#now = (): void => {
		if (this.#state === "lost") this.reconnect();
	};

	#onVisible = (): void => {
		if (globalThis.document?.hidden) return;
		if (this.#state === "lost") this.reconnect();
		else if (this.#state === "open") {
			// Timers slept: neither silence nor old round trips mean anything.
			this.#heard = performance.now();
			this.#o.clock.forget();
			this.#pings.start();
		}
	};

	#become(s: ConnectionState): void {
		if (this.#state === s && s !== "lost") return;
		this.#state = s;
		this.#h.onState(s, this.#tries);
	}
}

type Incoming = (Frame | Event) & { id?: string };

function parse(text: string): Incoming | null {
	try {
		const f = JSON.parse(text);
		return typeof f?.type === "string" && typeof f.data === "object" && f.data !== null ? f : null;
	} catch {
		return null;
	}
}

function isEvent(f: Incoming): f is Event {
	return /^(session|member|playback|controls|pause|hold|note|reply|drawing|recording|you)\./.test(f.type);
}

/** The WebSocket of a session on this page's own host. */
export function openSocket(sessionId: string): Socket {
	const url = new URL(`/api/sessions/${encodeURIComponent(sessionId)}/ws`, location.href);
	url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
	const ws = new WebSocket(url);
	const s: Socket = {
		send: (text) => ws.readyState === WebSocket.OPEN && ws.send(text),
		close: () => ws.close(),
		onopen: null,
		onmessage: null,
		onclose: null,
	};
	ws.onopen = () => s.onopen?.();
	ws.onmessage = (e) => s.onmessage?.(e);
	ws.onclose = () => s.onclose?.();
	return s;
}
