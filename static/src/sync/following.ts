/** A simulated element and who keeps it on a line, for tests. */
import { vi } from "vitest";
import { Follower } from "./follower.ts";
import type { Line } from "./line.ts";
import type { FollowerOptions } from "./media.ts";
import { SimulatedMedia, type SimulatedOptions } from "./simulated.ts";

export const rate = { fpsNum: 30, fpsDen: 1 };

export function setUp(o: SimulatedOptions = {}, more: Partial<FollowerOptions> = {}) {
	const begin = performance.now();
	const now = () => performance.now() - begin;
	const media = new SimulatedMedia(o);
	const shown: [number, number][] = [];
	const ready: number[] = [];
	const states: string[] = [];
	const follower = new Follower(media, {
		now,
		rate,
		onShown: (seq, frame) => shown.push([seq, frame]),
		onReady: (seq) => ready.push(seq),
		onStatus: (s) => states.push(s.state),
		...more,
	});
	const error = () => follower.target() / 1000 - media.currentTime * 1000;
	return { media, follower, shown, ready, states, now, error };
}

export const still = (seq: number, position: number, at = 0): Line => ({
	seq,
	moving: false,
	position,
	at,
	rate: 1,
	stop: null,
});
export const playing = (seq: number, position: number, at: number, more: Partial<Line> = {}): Line => ({
	seq,
	moving: true,
	position,
	at,
	rate: 1,
	stop: null,
	...more,
});
export const run = (ms: number) => vi.advanceTimersByTimeAsync(ms);
