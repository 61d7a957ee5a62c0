/** The session's clock, estimated from pings with four timestamps (RFC 5905, section 8), all in milliseconds. */

/** One ping. The offset lies between -back and there, since nothing arrives before it was sent. */
interface Sample {
	/** Received by the session's clock minus sent by the local one: the offset and the time of the way there. */
	there: number;
	/** Received by the local clock minus answered by the session's: the time of the way back without the offset. */
	back: number;
	/** When it came back, by the local clock. */
	at: number;
}

/** How many samples are looked at. */
const KEPT = 20;

/** A round trip on one machine can come out below nothing by so much, ms: times are rounded, and clocks run differently fast. */
const ROUNDING = 1;

/** How much two clocks drift apart, at most; quartz is off by some 100 ppm. */
const DRIFT = 500e-6;

/** When pings are sent: a burst, then one a second. */
export const BURST = 6;
export const BURST_GAP = 60;
export const STEADY_GAP = 1000;

/**
 * A clock that is read in local time (performance.now()) and answers in session time. It takes the fastest way there and the fastest
 * way back of the last pings, of two different pings perhaps: where delays vary, one ping that was fast both ways is rare.
 */
export class SessionClock {
	#samples: Sample[] = [];
	#offset = 0;
	#known = false;
	#trusted = false; // the offset is of a whole burst of before, and so better than what few pings say
	#local: () => number;

	constructor(local: () => number = () => performance.now()) {
		this.#local = local;
	}

	/**
	 * A new connection: it was asked for at a local time, and now its first word came, which says the session's time. That is a first guess
	 * only, and what was known before it is better if it can be true.
	 */
	seed(sessionNow: number, asked: number): void {
		this.forget();
		const way = { there: sessionNow - asked, back: this.#local() - sessionNow, at: 0 };
		if (this.#trusted && this.#fits([way])) return;
		this.#trusted = false;
		this.#offset = (way.there - way.back) / 2;
		this.#known = true;
	}

	/** One ping: sent at t0 and answered at t3 by the local clock, received at t1 and answered at t2 by the session's. */
	sample(t0: number, t1: number, t2: number, t3: number): void {
		const rtt = t3 - t0 - (t2 - t1);
		if (!Number.isFinite(rtt) || rtt < -ROUNDING) return;
		this.#samples.push({ there: t1 - t0, back: t3 - t2, at: t3 });
		if (this.#samples.length > KEPT) this.#samples.shift();
		// No offset fits all of them: a clock was set anew, or the machine slept. Only the latest says something.
		const drift = (t3 - this.#samples[0]!.at) * DRIFT;
		if (this.#least("there") + this.#least("back") < -ROUNDING - drift)
			this.#samples.splice(0, this.#samples.length - 1);
		if (this.#trusted && this.#samples.length < BURST && this.#fits(this.#samples)) return;
		this.#trusted = false;
		this.#offset = (this.#least("there") - this.#least("back")) / 2;
		this.#known = true;
	}

	/** After the connection or the tab was gone, old samples say little: the next burst decides. Until then, what they said holds if it can. */
	forget(): void {
		this.#trusted ||= this.#samples.length >= BURST;
		this.#samples = [];
	}

	/** Whether anything is known at all. */
	get known(): boolean {
		return this.#known;
	}

	/** What a round trip takes when it takes long, ms: nine in ten of late took no longer. Undefined before the first answer. */
	get rtt(): number | undefined {
		const sorted = this.#samples.map((s) => Math.max(0, s.there + s.back)).sort((a, b) => a - b);
		return sorted[Math.floor(sorted.length * 0.9)];
	}

	/** Session time now, or at a moment of the local clock, ms. */
	now(local = this.#local()): number {
		return local + this.#offset;
	}

	/** Whether the offset can be true: nothing arrives before it was sent. */
	#fits(samples: Sample[]): boolean {
		return samples.every((s) => this.#offset <= s.there + ROUNDING && this.#offset >= -s.back - ROUNDING);
	}

	#least(way: keyof Sample): number {
		return Math.min(...this.#samples.map((s) => s[way]));
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
