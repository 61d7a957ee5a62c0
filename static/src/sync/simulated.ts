/** A media element made of arithmetic, for tests: it takes time to start and to seek, and its clock is a little off. */
import type { Display } from "./display.ts";
import type { MediaLike } from "./media.ts";

export interface SimulatedOptions {
	duration?: number;
	/** ms from play() until time moves */
	startTakes?: number | (() => number);
	/** ms that it plays on when it is told to pause, as where a page comes late to telling it */
	stopTakes?: number;
	/** ms from setting currentTime until seeked, where it has arrived */
	seekTakes?: number | (() => number);
	/** ms from setting currentTime until seeked, where what is there has not arrived; it has from then on */
	fetchTakes?: number;
	/** ms from setting playbackRate while it plays until it plays so fast: a browser waits for a turn of the machine's sound */
	rateTakes?: number;
	/** ms by which its time moves on; what it says in between is what it said last */
	coarse?: number;
	/** ms from seeked until the picture is displayed */
	displayTakes?: number;
	/** relative speed of its clock: 1.0002 runs fast by 200 ppm */
	skew?: number;
	fps?: number;
	/** no frame callbacks, as in a hidden tab */
	hidden?: boolean;
	/** play() with sound is refused, as where nobody clicked */
	refusesSound?: boolean;
}

export class SimulatedMedia implements MediaLike {
	preservesPitch = true;
	muted = false;
	paused = true;
	seeking = false;
	readyState = 4;
	duration: number;
	/** Everything that was asked of it. */
	log: string[] = [];
	/** What has arrived, seconds. */
	arrivedFrom = 0;
	arrived: number;
	#o: Required<SimulatedOptions>;
	#base = 0;
	#since = 0; // performance.now() at base; in the future while it is starting
	#rate = 1; // as it was told
	#speed = 1; // as it plays
	#displayed = 0; // seconds; while it does not play
	#seekTimer: ReturnType<typeof setTimeout> | undefined;
	#listeners = new Map<string, Set<() => void>>();
	#speeds: ReturnType<typeof setTimeout>[] = []; // told, and not played yet
	#frames = new Set<ReturnType<typeof setTimeout>>();
	requestVideoFrameCallback?: MediaLike["requestVideoFrameCallback"];

	constructor(o: SimulatedOptions = {}) {
		this.#o = {
			duration: 600,
			coarse: 0,
			startTakes: 40,
			stopTakes: 0,
			seekTakes: 80,
			fetchTakes: 0,
			rateTakes: 75,
			displayTakes: 0,
			skew: 1,
			fps: 30,
			hidden: false,
			refusesSound: false,
			...o,
		};
		this.duration = this.#o.duration;
		this.arrived = this.duration;
		if (!this.#o.hidden) this.requestVideoFrameCallback = (run) => this.#nextFrame(run);
	}

	get buffered() {
		return { length: 1, start: () => this.arrivedFrom, end: () => this.arrived };
	}

	get ended(): boolean {
		return this.#time() >= this.duration;
	}

	get currentTime(): number {
		const { coarse } = this.#o;
		const moving = coarse > 0 && !this.paused && !this.seeking;
		return moving ? Math.max(this.#base, Math.floor((this.#time() * 1000) / coarse) * (coarse / 1000)) : this.#time();
	}

	/** The truth, seconds, however coarse what it says is. */
	get time(): number {
		return this.#time();
	}

	set currentTime(t: number) {
		this.log.push(`seek ${t.toFixed(4)}`);
		this.#base = Math.min(Math.max(0, t), this.duration);
		this.seeking = true;
		const here = this.#base >= this.arrivedFrom && this.#base < this.arrived;
		clearTimeout(this.#seekTimer);
		this.#seekTimer = setTimeout(
			() => {
				this.seeking = false;
				if (!here) [this.arrivedFrom, this.arrived] = [this.#base, this.duration];
				this.#since = performance.now();
				const to = this.#base;
				setTimeout(() => {
					this.#displayed = to;
				}, this.#o.displayTakes);
				this.emit("seeked");
			},
			value(this.#o.seekTakes) + (here ? 0 : this.#o.fetchTakes),
		);
	}

	get playbackRate(): number {
		return this.#rate;
	}

	set playbackRate(r: number) {
		if (r === this.#rate) return;
		this.log.push(`rate ${r}`);
		this.#rate = r;
		if (this.paused || this.#o.rateTakes === 0) this.#playAt(r);
		else this.#speeds.push(setTimeout(() => this.#playAt(r), this.#o.rateTakes));
	}

	#playAt(speed: number): void {
		this.#base = this.#time();
		this.#since = Math.max(this.#since, performance.now());
		this.#speed = speed;
	}

	async play(): Promise<void> {
		if (this.#o.refusesSound && !this.muted) throw new DOMException("no click", "NotAllowedError");
		if (!this.paused) return;
		this.log.push("play");
		this.paused = false;
		this.#speed = this.#rate;
		this.#since = performance.now() + value(this.#o.startTakes);
	}

	pause(): void {
		if (this.paused) return;
		this.log.push("pause");
		this.#base = this.#displayed = this.#time() + (this.#o.stopTakes / 1000) * this.#speed;
		this.log.push(`stands ${this.#base.toFixed(4)}`);
		for (const s of this.#speeds.splice(0)) clearTimeout(s);
		this.paused = true;
	}

	/** Nothing more arrives; or it does again. */
	starve(on: boolean): void {
		this.#base = this.#time();
		this.#since = performance.now();
		this.readyState = on ? 2 : 4;
	}

	addEventListener(type: string, run: () => void): void {
		if (!this.#listeners.has(type)) this.#listeners.set(type, new Set());
		this.#listeners.get(type)?.add(run);
	}

	removeEventListener(type: string, run: () => void): void {
		this.#listeners.get(type)?.delete(run);
	}

	emit(type: string): void {
		for (const run of this.#listeners.get(type) ?? []) run();
	}

	get listening(): number {
		return [...this.#listeners.values()].reduce((n, s) => n + s.size, 0);
	}

	/** Media time of the picture that is displayed, µs: the beginning of its frame, rounded down as browsers do. */
	get displayed(): number {
		const s = this.paused || this.seeking ? this.#displayed : this.#time();
		return Math.floor((Math.floor(s * this.#o.fps) * 1e6) / this.#o.fps);
	}

	#time(): number {
		if (this.paused || this.seeking || this.readyState < 3) return this.#base;
		const run = Math.max(0, performance.now() - this.#since);
		return Math.min(this.duration, this.#base + (run / 1000) * this.#speed * this.#o.skew);
	}

	#nextFrame(run: (now: number, frame: { mediaTime: number }) => void): number {
		const frame = Math.floor(this.#time() * this.#o.fps);
		const look = () => {
			const f = Math.floor(this.#time() * this.#o.fps);
			if (f === frame || this.seeking) this.#frames.add(setTimeout(look, 4));
			else run(performance.now(), { mediaTime: f / this.#o.fps });
		};
		this.#frames.add(setTimeout(look, 4));
		return 1;
	}

	cancelVideoFrameCallback(): void {
		for (const f of this.#frames) clearTimeout(f);
	}
}

function value(of: number | (() => number)): number {
	return typeof of === "number" ? of : of();
}

/** A page that paints every 16 ms, until it is hidden. */
export class SimulatedDisplay implements Display {
	#hidden = false;
	#waiting = new Map<ReturnType<typeof setTimeout>, () => void>();

	hidden = () => this.#hidden;
	frameOf = (el: unknown) => (el as SimulatedMedia).displayed;

	painted = (run: () => void) => {
		const timer = setTimeout(() => {
			this.#waiting.delete(timer);
			run();
		}, 32);
		this.#waiting.set(timer, run);
		return () => {
			clearTimeout(timer);
			this.#waiting.delete(timer);
		};
	};

	hide(): void {
		this.#hidden = true;
		for (const [timer, run] of this.#waiting) {
			clearTimeout(timer);
			run();
		}
		this.#waiting.clear();
	}
}
