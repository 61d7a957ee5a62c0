import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { playing, rate, run, setUp, still } from "./following.ts";
import { frameMiddle } from "./line.ts";
import { SimulatedDisplay, type SimulatedMedia } from "./simulated.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("a still line", () => {
	it("is sought to and confirmed once, with its frame, and told ready", async () => {
		const t = setUp();
		t.follower.follow(still(1, frameMiddle(100, rate)));
		await run(60);
		expect(t.shown).toEqual([]);
		await run(300);
		expect(t.shown).toEqual([[1, 100]]);
		expect(t.ready).toEqual([1]);
		t.follower.tellAgain();
		expect(t.shown).toHaveLength(2);
	});

	it("is not confirmed while it does not arrive, and sought again", async () => {
		const t = setUp();
		t.media.readyState = 1;
		t.follower.follow(still(1, frameMiddle(100, rate)));
		await run(3000);
		expect(t.shown).toEqual([]);
		t.media.readyState = 4;
		t.media.emit("canplay");
		expect(t.shown).toEqual([[1, 100]]);
	});

	it("tells ready only with enough buffered, or all there is", async () => {
		const t = setUp({ duration: 10 });
		t.media.arrived = 4;
		t.follower.follow(still(1, 2_000_000));
		await run(500);
		expect(t.ready).toEqual([]);
		t.media.arrived = 4.6;
		await run(100);
		expect(t.ready).toEqual([1]);
		t.media.arrived = 10;
		t.follower.follow(still(2, 9_000_000));
		await run(300);
		expect(t.ready).toEqual([1, 2]);
	});

	it("with an older seq changes nothing", async () => {
		const t = setUp();
		t.follower.follow(still(5, 2_000_000));
		t.follower.follow(still(4, 8_000_000));
		await run(300);
		expect(t.media.currentTime).toBeCloseTo(2, 3);
	});
});

describe("a moving line", () => {
	it("starts with the others and comes to within the dead band", async () => {
		for (const startTakes of [23, 95]) {
			const t = setUp({ startTakes, skew: 1.0001 });
			t.follower.follow(still(1, 2_000_000));
			await run(500);
			t.follower.follow(playing(2, 2_000_000, 1000));
			await run(440);
			expect(t.media.currentTime).toBeCloseTo(2, 3);
			await run(1000);
			expect(Math.abs(t.error())).toBeLessThan(8);
			await run(6000);
			expect(Math.abs(t.error())).toBeLessThan(8);
			await run(20_000);
			expect(Math.abs(t.error())).toBeLessThan(12);
			expect(t.media.log.filter((l) => l.startsWith("seek"))).toHaveLength(1);
			t.follower.close();
		}
	});

	it("is met by an element that has just been loaded, which takes a while to get to where it says it is", async () => {
		const t = setUp({ seekTakes: 180 });
		await run(10_000);
		t.follower.follow(playing(1, 0, 0));
		t.media.emit("loadedmetadata");
		await run(100);
		expect(t.media.log.at(-1)).toMatch(/^seek/);
		await run(600);
		expect(Math.abs(t.error())).toBeLessThan(40);
	});

	it("changes speed without keeping pitch at rate 1, and closes every change", async () => {
		const t = setUp({ startTakes: 180 });
		t.follower.follow(playing(1, 0, 0));
		await run(600);
		expect(t.media.preservesPitch).toBe(false);
		expect(t.media.playbackRate).toBeCloseTo(1.4, 5);
		await run(5000);
		expect(t.media.playbackRate).toBe(1);
		t.follower.follow(playing(2, 10_000_000, t.now(), { rate: 1.5 }));
		await run(100);
		expect(t.media.preservesPitch).toBe(true);
		await run(5000);
		expect(Math.abs(t.error())).toBeLessThan(40);
	});

	it("joins late by seeking ahead, and settles", async () => {
		const t = setUp({ seekTakes: 220 });
		await run(30_000);
		t.follower.follow(playing(7, 0, 0));
		await run(7000);
		expect(Math.abs(t.error())).toBeLessThan(12);
		const seeks = t.media.log.filter((l) => l.startsWith("seek"));
		expect(seeks.length).toBeLessThanOrEqual(2);
	});

	it("seeks at most once a second when far off", async () => {
		const t = setUp({ seekTakes: 10 });
		t.follower.follow(playing(1, 0, 0));
		await run(5000);
		const before = t.media.log.length;
		for (let i = 0; i < 10; i++) {
			t.media.currentTime = 300;
			await run(200);
		}
		expect(
			t.media.log.slice(before).filter((l) => l.startsWith("seek") && l !== "seek 300.0000").length,
		).toBeLessThanOrEqual(2);
	});

	it("catches up alone after it starved, and says so", async () => {
		const t = setUp();
		t.follower.follow(playing(1, 0, 0));
		await run(3000);
		t.media.starve(true);
		await run(900);
		expect(t.states.at(-1)).toBe("catching-up");
		t.media.starve(false);
		await run(14_000);
		expect(t.states.at(-1)).toBe("playing");
		expect(Math.abs(t.error())).toBeLessThan(12);
	});

	it("plays after three jumps that took ever longer than expected", async () => {
		const takes = [450, 900, 1800];
		const t = setUp({ seekTakes: () => takes.shift() ?? 80 });
		t.follower.follow(playing(1, 0, -20_000));
		await run(450 + 900 + 1800 + 300);
		expect(t.media.log.slice(0, 4).map((l) => l.split(" ")[0])).toEqual(["seek", "seek", "seek", "play"]);
		t.follower.close();
	});

	it("plays muted and in step where sound is refused, until somebody clicks", async () => {
		const refused: boolean[] = [];
		const t = setUp({ refusesSound: true }, { onStatus: (s) => refused.push(s.soundRefused) });
		t.follower.follow(playing(1, 0, 0));
		await run(4000);
		expect(t.media.paused).toBe(false);
		expect(t.media.muted).toBe(true);
		expect(refused.at(-1)).toBe(true);
		expect(Math.abs(t.error())).toBeLessThan(8);
	});
});

describe("what is seen", () => {
	it("is the frame that is displayed, where that trails the line", async () => {
		const frameOf = (el: unknown) => Math.floor(Math.floor((el as SimulatedMedia).currentTime * 30 - 9) * (1e6 / 30));
		const t = setUp({}, { display: Object.assign(new SimulatedDisplay(), { frameOf }) });
		t.follower.follow(playing(1, 0, 0));
		await run(4000);
		const seen = Math.floor(t.media.currentTime * 30 - 9);
		expect(t.follower.shown()).toBe(frameMiddle(seen, rate));
		t.follower.follow(still(2, 9_000_000, t.now()));
		expect(t.follower.shown()).toBe(9_000_000);
	});

	it("is the line's place where nothing is told, or what is displayed is of before a jump", async () => {
		for (const frameOf of [() => null, () => 60_000_000]) {
			const t = setUp({}, { display: Object.assign(new SimulatedDisplay(), { frameOf }) });
			t.follower.follow(playing(1, 0, 0));
			await run(3000);
			expect(t.follower.shown()).toBe(t.follower.target());
			t.follower.close();
		}
	});
});

describe("a frame that was sought", () => {
	const place = frameMiddle(100, rate);

	it("is confirmed when it is painted, not when it is decoded", async () => {
		const t = setUp({ seekTakes: 80, displayTakes: 70 }, { display: new SimulatedDisplay() });
		t.follower.follow(still(1, place));
		await run(149);
		expect(t.media.seeking).toBe(false);
		expect(t.shown).toEqual([]);
		await run(200);
		expect(t.shown).toEqual([[1, 100]]);
		t.follower.tellAgain(); // it is on the screen still
		expect(t.shown).toHaveLength(2);
	});

	it("is not confirmed between being displayed and the paint after", async () => {
		const t = setUp({ seekTakes: 80, displayTakes: 0 }, { display: new SimulatedDisplay() });
		t.follower.follow(still(1, place));
		await run(120);
		expect(t.media.displayed).toBe(3_333_333);
		expect(t.shown).toEqual([]);
		await run(20);
		expect(t.shown).toEqual([[1, 100]]);
	});

	it("is confirmed by the element's time in a hidden tab, and when a tab is hidden meanwhile", async () => {
		const behind = new SimulatedDisplay();
		behind.hide();
		const t = setUp({ seekTakes: 80, displayTakes: 1e6 }, { display: behind });
		t.follower.follow(still(1, place));
		await run(100);
		expect(t.shown).toEqual([[1, 100]]);

		const display = new SimulatedDisplay();
		const u = setUp({ seekTakes: 80 }, { display });
		u.follower.follow(still(1, place));
		await run(120);
		expect(u.shown).toEqual([]);
		display.hide();
		expect(u.shown).toEqual([[1, 100]]);
	});

	it("is confirmed after a paint where the browser tells no frames, or the time within one", async () => {
		for (const frameOf of [() => null, () => place]) {
			const t = setUp({}, { display: Object.assign(new SimulatedDisplay(), { frameOf }) });
			t.follower.follow(still(1, place));
			await run(100);
			expect(t.shown).toEqual([]);
			await run(50);
			expect(t.shown).toEqual([[1, 100]]);
			t.follower.close();
		}
	});

	it("is sought again where another one stays on the screen", async () => {
		let us = 3_300_000; // frame 99
		const t = setUp({}, { display: Object.assign(new SimulatedDisplay(), { frameOf: () => us }) });
		t.follower.follow(still(1, place));
		await run(1000);
		expect(t.shown).toEqual([]);
		await run(300);
		expect(t.media.log.filter((l) => l.startsWith("seek"))).toHaveLength(2);
		us = 3_333_333;
		await run(300);
		expect(t.shown).toEqual([[1, 100]]);
	});

	it("is confirmed by the element's time after two vain seeks, where frames are told of another clock", async () => {
		const t = setUp(
			{ seekTakes: 80 },
			{ display: Object.assign(new SimulatedDisplay(), { frameOf: () => 77_000_000 }) },
		);
		const seeks = () => t.media.log.filter((l) => l.startsWith("seek")).length;
		t.follower.follow(still(1, place));
		await run(3000);
		expect(t.shown).toEqual([]);
		await run(300);
		expect(t.shown).toEqual([[1, 100]]);
		await run(5000);
		expect(seeks()).toBe(3);
		t.follower.follow(still(2, 8_000_000, t.now())); // another line is looked at as strictly
		await run(3000);
		expect(t.shown).toHaveLength(1);
		await run(300);
		expect(t.shown).toEqual([
			[1, 100],
			[2, 240],
		]);
	});

	it("is not confirmed while the element has no data, however long another one is told", async () => {
		const t = setUp({}, { display: Object.assign(new SimulatedDisplay(), { frameOf: () => 77_000_000 }) });
		t.follower.follow(still(1, place));
		await run(2500);
		t.media.readyState = 1;
		await run(5000);
		expect(t.shown).toEqual([]);
		t.media.readyState = 4;
		await run(100);
		expect(t.shown).toEqual([[1, 100]]);
	});

	it("is confirmed only when it is the right one, also after two vain seeks", async () => {
		let us = 3_300_000; // frame 99
		const t = setUp({}, { display: Object.assign(new SimulatedDisplay(), { frameOf: () => us }) });
		t.follower.follow(still(1, place));
		await run(2500);
		expect(t.media.log.filter((l) => l.startsWith("seek"))).toHaveLength(3);
		expect(t.shown).toEqual([]);
		us = 3_333_333;
		await run(30);
		expect(t.shown).toEqual([]); // not painted yet
		await run(100);
		expect(t.shown).toEqual([[1, 100]]);
	});

	it("is painted anew for a later line after the clip was elsewhere", async () => {
		const t = setUp({ seekTakes: 80, displayTakes: 200 }, { display: new SimulatedDisplay() });
		t.follower.follow(still(1, place));
		await run(400);
		t.follower.follow(still(2, 8_000_000, t.now()));
		await run(400);
		t.follower.follow(still(3, place, t.now()));
		await run(250);
		expect(t.shown.map(([seq]) => seq)).toEqual([1, 2]);
		await run(150);
		expect(t.shown.at(-1)).toEqual([3, 100]);
	});

	it("is awaited no longer once the follower is closed", async () => {
		const t = setUp({}, { display: new SimulatedDisplay() });
		t.follower.follow(still(1, place));
		await run(120);
		t.follower.close();
		await run(500);
		expect(t.shown).toEqual([]);
	});
});

it("a change of rate takes over without a jump", async () => {
	const t = setUp();
	t.follower.follow(playing(1, 0, 0));
	await run(4000);
	t.follower.follow(playing(2, 4_500_000, 4500, { rate: 0.5 }));
	await run(300);
	expect(t.media.playbackRate).toBeCloseTo(1, 1);
	await run(2000);
	expect(t.media.log.filter((l) => l.startsWith("seek"))).toEqual([]);
	expect(Math.abs(t.error())).toBeLessThan(40);
});

it("is sought again when the source was loaded anew", async () => {
	const t = setUp();
	t.follower.follow(still(1, frameMiddle(100, rate)));
	await run(300);
	t.media.currentTime = 0;
	await run(100);
	t.media.emit("loadedmetadata");
	await run(300);
	expect(t.shown.at(-1)).toEqual([1, 100]);
	expect(t.media.currentTime * 1e6).toBeCloseTo(frameMiddle(100, rate), 0);
});

it("leaves nothing behind when closed", async () => {
	const t = setUp();
	t.follower.follow(playing(1, 0, 0));
	await run(1000);
	t.follower.close();
	await run(100);
	expect(t.media.paused).toBe(true);
	expect(t.media.listening).toBe(0);
	expect(vi.getTimerCount()).toBe(0);
});
