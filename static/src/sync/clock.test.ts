import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { PingSchedule, SessionClock } from "./clock.ts";

describe("SessionClock", () => {
	it("takes the fastest way there and the fastest way back, of whichever ping", () => {
		const clock = new SessionClock(() => 1000);
		// true offset 500; the way there takes 100, 10 and 60 ms, the way back 20, 12 and 5
		clock.sample(0, 600, 601, 121);
		clock.sample(200, 710, 710, 222);
		clock.sample(400, 960, 961, 466);
		expect(clock.now()).toBe(1000 + 502.5);
	});

	it("forgets samples beyond the last twenty", () => {
		const clock = new SessionClock(() => 0);
		clock.sample(0, 1005, 1005, 10);
		for (let i = 0; i < 20; i++) clock.sample(0, 2050, 2050, 100);
		expect(clock.rtt).toBe(100);
		expect(clock.now()).toBe(2000);
	});

	it("believes the latest sample alone where none fits the others, as after a clock was set anew", () => {
		const clock = new SessionClock(() => 0);
		for (let i = 0; i < 5; i++) clock.sample(0, 505, 505, 10);
		clock.sample(0, 9010, 9010, 20);
		expect(clock.now()).toBe(9000);
		expect(clock.rtt).toBe(20);
	});

	it("tells a round trip as it is where delays vary, not the luckiest, and not one that was lost on its way", () => {
		const clock = new SessionClock(() => 0);
		expect(clock.rtt).toBeUndefined();
		for (const took of [180, 210, 240, 270, 300]) for (let i = 0; i < 4; i++) clock.sample(0, took / 2, took / 2, took);
		expect(clock.rtt).toBe(300);
		for (let i = 0; i < 19; i++) clock.sample(0, 100, 100, 180 + i);
		clock.sample(0, 500, 500, 900);
		expect(clock.rtt).toBe(198);
	});

	it("is seeded by the server's now, and ignores samples that cannot be", () => {
		const clock = new SessionClock(() => 50);
		expect(clock.known).toBe(false);
		clock.seed(9050, 50);
		clock.sample(10, 0, 500, 20);
		clock.sample(Number.NaN, 0, 0, 0);
		expect(clock.known).toBe(true);
		expect(clock.now()).toBe(9050);
		expect(clock.now(60)).toBe(9060);
	});

	it("takes a first guess in the middle between asking and the answer", () => {
		const clock = new SessionClock(() => 400);
		clock.seed(9200, 0);
		expect(clock.now()).toBe(9400);
	});

	it("keeps what a burst said over a new connection, until another burst says more, if it can be true", () => {
		let local = 0;
		const clock = new SessionClock(() => local);
		// offset 1000; the ways take 120 ms, and some more at times
		const ping = (there: number, back: number, offset = 1000) => {
			const [sent, got] = [local, local + there];
			local += there + back;
			clock.sample(sent, got + offset, got + offset, local);
		};
		for (let i = 0; i < 6; i++) ping(120, 120);
		local += 7000;
		clock.seed(local - 130 + 1000, local - 290); // the hello took 160 ms, the welcome 130
		expect(clock.now() - local).toBe(1000);
		ping(170, 120);
		expect(clock.now() - local, "one that was slow on its way says little").toBe(1000);
		for (let i = 0; i < 5; i++) ping(100, 104);
		expect(clock.now() - local).toBe(998);

		clock.seed(local - 130 + 6000, local - 290);
		expect(clock.now() - local, "no clock of before").toBe(6015);
		for (let i = 0; i < 6; i++) ping(120, 120, 6000);
		clock.forget();
		ping(120, 120, 4000);
		expect(clock.now() - local, "a clock that was set anew meanwhile").toBe(4000);
	});

	it("keeps its offset when samples are forgotten, and believes the first new one", () => {
		const clock = new SessionClock(() => 0);
		clock.sample(0, 105, 105, 10);
		clock.forget();
		expect(clock.now()).toBe(100);
		clock.sample(0, 250, 250, 100);
		expect(clock.now()).toBe(200);
	});
});

describe("PingSchedule", () => {
	beforeEach(() => void vi.useFakeTimers());
	afterEach(() => void vi.useRealTimers());

	it("sends six pings 60 ms apart, then one a second, until stopped", () => {
		const at: number[] = [];
		const schedule = new PingSchedule(() => at.push(Math.round(performance.now() - begin)));
		const begin = performance.now();
		schedule.start();
		vi.advanceTimersByTime(2500);
		expect(at).toEqual([0, 60, 120, 180, 240, 300, 1300, 2300]);
		schedule.stop();
		vi.advanceTimersByTime(5000);
		expect(at).toHaveLength(8);
	});
});
