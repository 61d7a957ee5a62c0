/** The session's clock, estimated from pings with four timestamps (RFC 5905, section 8), all in milliseconds. */

interface Sample {
	offset: number;
	rtt: number;
}

/** How many samples are looked at: the one with the lowest round trip tells the offset. */
const KEPT = 20;

/** A round trip on one machine can come out below nothing by so much, ms: times are rounded, and clocks run differently fast. */
const ROUNDING = 1;

/** When pings are sent: a burst, then one a second. */
export const BURST = 6;
export const BURST_GAP = 60;
export const STEADY_GAP = 1000;

/** A clock that is read in local time (performance.now()) and answers in session time. */
export class SessionClock {
	#samples: Sample[] = [];
	#offset = 0;
	#known = false;
	#local: () => number;

	constructor(local: () => number = () => performance.now()) {
		this.#local = local;
	}

	/** A first guess, from the moment the server said "now"; samples replace it. */
	seed(sessionNow: number): void {
		this.#samples = [];
		this.#offset = sessionNow - this.#local();
		this.#known = true;
	}

	/** One ping: sent at t0 and answered at t3 by the local clock, received at t1 and answered at t2 by the session's. */
	sample(t0: number, t1: number, t2: number, t3: number): void {
		const rtt = t3 - t0 - (t2 - t1);
		if (!Number.isFinite(rtt) || rtt < -ROUNDING) return;
		this.#samples.push({ offset: (t1 - t0 + (t2 - t3)) / 2, rtt: Math.max(0, rtt) });
		if (this.#samples.length > KEPT) this.#samples.shift();
		this.#offset = this.#best()!.offset;
		this.#known = true;
	}

	/** After the connection or the tab was gone, old samples say little: the next burst decides. */
	forget(): void {
		this.#samples = [];
	}

	/** Whether anything is known at all. */
	get known(): boolean {
		return this.#known;
	}

	/** Lowest round trip of late, ms; undefined before the first answer. */
	get rtt(): number | undefined {
		return this.#best()?.rtt;
	}

	/** Session time now, or at a moment of the local clock, ms. */
	now(local = this.#local()): number {
		return local + this.#offset;
	}

	#best(): Sample | undefined {
		let best: Sample | undefined;
		for (const s of this.#samples) if (!best || s.rtt <= best.rtt) best = s;
		return best;
	}
}

interface PingTimers {
	set(run: () => void, ms: number): unknown;
	clear(id: unknown): void;
}

const real: PingTimers = {
	set: (run, ms) => setTimeout(run, ms),
	clear: (id) => clearTimeout(id as ReturnType<typeof setTimeout>),
};

/** Calls ping six times 60 ms apart, then once a second, until stopped; start again for a new burst. */
export class PingSchedule {
	#timer: unknown;
	#sent = 0;
	#ping: () => void;
	#timers: PingTimers;

	constructor(ping: () => void, timers: PingTimers = real) {
		this.#ping = ping;
		this.#timers = timers;
	}

	start(): void {
		this.stop();
		this.#sent = 0;
		this.#tick();
	}

	stop(): void {
		this.#timers.clear(this.#timer);
	}

	#tick(): void {
		this.#ping();
		this.#sent++;
		this.#timer = this.#timers.set(() => this.#tick(), this.#sent < BURST ? BURST_GAP : STEADY_GAP);
	}
}
