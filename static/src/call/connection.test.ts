import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Bye, Event, Frame, View, Welcome } from "../event.gen.ts";
import { SessionClock } from "../sync/clock.ts";
import { Connection, type Refused, type Socket } from "./connection.ts";
import { uuidv7 } from "./uuid.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
	for (const c of open) c.close();
	open.length = 0;
	vi.useRealTimers();
});
const open: Connection[] = [];

class FakeSocket implements Socket {
	sent: { type: string; id?: string; data: Record<string, unknown> }[] = [];
	closed = false;
	onopen: Socket["onopen"] = null;
	onmessage: Socket["onmessage"] = null;
	onclose: Socket["onclose"] = null;
	send(text: string): void {
		this.sent.push(JSON.parse(text));
	}
	close(): void {
		this.closed = true;
	}
	receive(frame: unknown): void {
		this.onmessage?.({ data: JSON.stringify(frame) });
	}
	welcome(): void {
		this.onopen?.();
		const data: Welcome = { you: "me", may: [], seq: 1, now: 5000, view: {} as View };
		this.receive({ type: "welcome", data });
	}
	of(type: string) {
		return this.sent.filter((f) => f.type === type);
	}
}

function setUp() {
	const sockets: FakeSocket[] = [];
	const states: string[] = [];
	const events: Event[] = [];
	const signals: Frame[] = [];
	const byes: Bye[] = [];
	const clock = new SessionClock();
	const connection = new Connection(
		{
			open: () => {
				sockets.push(new FakeSocket());
				return sockets.at(-1)!;
			},
			clock,
			random: () => 0.5,
		},
		{
			hello: () => ({ consent: "agreed", mic: true, camera: false }),
			onWelcome: () => states.push("welcome"),
			onEvent: (e) => events.push(e),
			onSignal: (f) => signals.push(f),
			onState: (s) => states.push(s),
			onBye: (b) => byes.push(b),
		},
	);
	open.push(connection);
	return { connection, sockets, states, events, signals, byes, clock, last: () => sockets.at(-1)! };
}

describe("Connection", () => {
	it("says hello first, and hands on events and signals", () => {
		const t = setUp();
		t.last().welcome();
		expect(t.last().sent[0]).toMatchObject({
			type: "hello",
			data: { consent: "agreed", mic: true, camera: false, page: expect.any(String), attempt: 1 },
		});
		expect(t.connection.state).toBe("open");
		t.last().receive({ type: "hold.ended", seq: 4, at: 1, data: { hold: "h" } });
		t.last().receive({ type: "rtc.restart", data: { pc: "subscribe" } });
		t.last().receive({ type: "something.new", data: {} });
		t.last().onmessage?.({ data: "{nonsense" });
		expect(t.events.map((e) => e.type)).toEqual(["hold.ended"]);
		expect(t.signals.map((f) => f.type)).toEqual(["rtc.restart"]);
	});

	it("measures the clock, and tells its round trip", () => {
		const t = setUp();
		t.last().welcome();
		const ping = t.last().of("ping")[0]!;
		vi.advanceTimersByTime(40);
		t.last().receive({ type: "pong", data: { t0: ping.data.t0, t1: 7020, t2: 7021 } });
		expect(t.clock.rtt).toBeCloseTo(39, 6);
		expect(t.clock.now()).toBeCloseTo(7040.5, 6);
		vi.advanceTimersByTime(20);
		expect(t.last().of("ping").at(-1)?.data.rtt).toBeCloseTo(39, 6);
	});

	it("keeps a good clock over a new connection whose welcome took its time", () => {
		const t = setUp();
		t.last().welcome();
		const begun = performance.now();
		const session = () => 5000 + performance.now() - begun;
		for (let i = 0; i < 6; i++) {
			const t0 = performance.now();
			vi.advanceTimersByTime(120);
			const t1 = session();
			vi.advanceTimersByTime(120);
			t.last().receive({ type: "pong", data: { t0, t1, t2: t1 } });
		}
		expect(t.clock.now()).toBeCloseTo(session(), 6);
		t.last().onclose?.();
		vi.advanceTimersByTime(300);
		t.last().onopen?.();
		vi.advanceTimersByTime(140);
		const said = session();
		vi.advanceTimersByTime(120);
		t.last().receive({ type: "welcome", data: { you: "me", may: [], seq: 1, now: said, view: {} } });
		expect(t.clock.now()).toBeCloseTo(session(), 6);
	});

	it("resolves on a reply and rejects with its sentence", async () => {
		const t = setUp();
		t.last().welcome();
		const good = t.connection.send({ type: "member.hand", data: { up: true } });
		const bad = t.connection.send({ type: "recording.start", data: {} });
		const [a, b] = t.last().sent.filter((f) => f.id);
		t.last().receive({ type: "reply", id: a?.id, data: {} });
		t.last().receive({
			type: "reply",
			id: b?.id,
			data: { error: { code: "conflict", message: "Not everybody agreed." } },
		});
		await expect(good).resolves.toBeUndefined();
		await expect(bad).rejects.toMatchObject({ code: "conflict", message: "Not everybody agreed." });
	});

	it("comes back after a loss with growing waits, and says what was not answered again with the same id", async () => {
		const t = setUp();
		t.last().welcome();
		const note = t.connection.send({ type: "member.hand", data: { up: true } });
		const id = t.last().sent.at(-1)?.id;
		t.last().onclose?.();
		expect(t.connection.state).toBe("lost");
		vi.advanceTimersByTime(299);
		expect(t.sockets).toHaveLength(1);
		vi.advanceTimersByTime(1);
		expect(t.sockets).toHaveLength(2);
		t.last().onclose?.();
		vi.advanceTimersByTime(300);
		expect(t.sockets).toHaveLength(2);
		vi.advanceTimersByTime(300);
		expect(t.sockets).toHaveLength(3);
		t.last().welcome();
		expect(t.last().of("member.hand")[0]?.id).toBe(id);
		t.last().receive({ type: "reply", id, data: {} });
		await expect(note).resolves.toBeUndefined();
	});

	it("does not move the player later than was meant", async () => {
		const t = setUp();
		t.last().welcome();
		const play = t.connection.send({ type: "playback.play", data: {} }).catch((e: Refused) => e.code);
		t.last().onclose?.();
		vi.advanceTimersByTime(300);
		vi.advanceTimersByTime(4000);
		t.last().welcome();
		expect(t.last().of("playback.play")).toEqual([]);
		expect(await play).toBe("unavailable");
	});

	it("waits at most five seconds between tries, and tries at once when the network is back", () => {
		const t = setUp();
		t.last().welcome();
		for (let i = 0; i < 9; i++) {
			t.last().onclose?.();
			vi.advanceTimersByTime(5000);
		}
		const tried = t.sockets.length;
		expect(tried).toBe(10);
		t.last().onclose?.();
		globalThis.dispatchEvent(new Event_("online"));
		expect(t.sockets).toHaveLength(tried + 1);
	});

	it("takes silence for a loss", () => {
		const t = setUp();
		t.last().welcome();
		vi.advanceTimersByTime(4600);
		expect(t.connection.state).toBe("lost");
		expect(t.sockets[0]?.closed).toBe(true);
	});

	it("stays away when another tab took over, until asked to come back", () => {
		const t = setUp();
		t.last().welcome();
		t.last().receive({ type: "bye", data: { reason: "replaced", message: "" } });
		expect(t.byes[0]?.reason).toBe("replaced");
		vi.advanceTimersByTime(60_000);
		expect(t.sockets).toHaveLength(1);
		expect(t.connection.state).toBe("closed");
		t.connection.reconnect();
		t.last().welcome();
		expect(t.connection.state).toBe("open");
	});

	it("comes back after a restart of the server", () => {
		const t = setUp();
		t.last().welcome();
		t.last().receive({ type: "bye", data: { reason: "restarting", message: "" } });
		t.last().onclose?.();
		vi.advanceTimersByTime(300);
		expect(t.sockets).toHaveLength(2);
	});
});

// The name Event is the protocol's here.
const Event_ = globalThis.Event;

it("uuidv7 carries the time and sorts by it", () => {
	const a = uuidv7(1_700_000_000_000);
	const b = uuidv7(1_700_000_000_001);
	expect(a).toMatch(/^018bcfe5-6800-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
	expect(a < b).toBe(true);
});
