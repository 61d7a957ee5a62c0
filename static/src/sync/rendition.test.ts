import { describe, expect, it } from "vitest";
import { Looker, Renditions, type Sample, type Seen } from "./rendition.ts";

const good: Sample = { held: false, moving: true, due: false, starved: false, ahead: 12, whole: false, dropped: 0 };
const looked = (r: Renditions, n: number, s: Partial<Sample>) => {
	for (let i = 0; i < n; i++) r.look({ ...good, ...s });
	return r.now;
};

describe("the size of the clip", () => {
	it("stays large while it arrives, and while there is little ahead that does not get less", () => {
		const r = new Renditions("720p");
		expect(looked(r, 60, {})).toBe("720p");
		expect(looked(r, 60, { ahead: 2 })).toBe("720p");
		expect(looked(r, 60, { ahead: 0.4, whole: true })).toBe("720p");
	});

	it("gets small when data is wanting, but not for a hiccup or a seek", () => {
		const r = new Renditions("720p");
		expect(looked(r, 1, { starved: true, ahead: 0 })).toBe("720p");
		expect(looked(r, 1, {})).toBe("720p");
		expect(looked(r, 2, { starved: true, ahead: 0 })).toBe("360p");
	});

	it("gets small before data is wanting, where it arrives slower than it plays", () => {
		const r = new Renditions("720p");
		let seconds = 0;
		for (let ahead = 8; r.now === "720p"; ahead -= 0.5, seconds++) r.look({ ...good, ahead });
		expect(8 - (seconds - 1) * 0.5).toBeGreaterThan(1);
	});

	it("gets small where a start waits for data", () => {
		expect(looked(new Renditions("720p"), 4, { moving: false, ahead: 1 })).toBe("360p");
	});

	it("gets small for good where the machine does not keep up", () => {
		const r = new Renditions("720p");
		expect(looked(r, 4, { dropped: 0.6 })).toBe("720p");
		expect(looked(r, 1, {})).toBe("720p");
		expect(looked(r, 5, { dropped: 0.6 })).toBe("720p"); // not while it plays: the network is not the matter
		expect(looked(r, 1, { moving: false })).toBe("360p");
		expect(looked(r, 500, { moving: false, whole: true })).toBe("360p");
	});

	it("does not change at a pause, nor while nothing can be fetched", () => {
		const r = new Renditions("720p");
		expect(looked(r, 60, { held: true, moving: false, ahead: 0 })).toBe("720p");
		expect(looked(r, 60, { held: true, starved: true, ahead: 0 })).toBe("720p");
		expect(looked(r, 2, { starved: true, ahead: 0 })).toBe("360p");
		expect(looked(r, 500, { held: true, moving: false, whole: true })).toBe("360p");
	});

	it("is tried large again while the clip stands, ever more rarely", () => {
		const r = new Renditions("360p");
		expect(looked(r, 200, {})).toBe("360p"); // never while it plays
		expect(looked(r, 1, { moving: false, ahead: 6 })).toBe("360p"); // nor with little ahead
		expect(looked(r, 1, { moving: false, due: true, ahead: 30 })).toBe("360p"); // nor right before it plays
		expect(looked(r, 1, { moving: false, ahead: 30 })).toBe("720p");
		expect(looked(r, 2, { starved: true })).toBe("360p");
		expect(looked(r, 59, { moving: false, ahead: 30 })).toBe("360p");
		expect(looked(r, 1, { moving: false, ahead: 30 })).toBe("720p");
	});
});

it("an element is looked at for what is ahead and what was lost", () => {
	let quality = { droppedVideoFrames: 0, totalVideoFrames: 0 };
	const el: Seen = {
		currentTime: 5,
		duration: 60,
		readyState: 4,
		seeking: false,
		buffered: { length: 1, start: () => 0, end: () => 17 },
		getVideoPlaybackQuality: () => quality,
	};
	const looker = new Looker();
	const playing = { held: false, moving: true, due: true };
	expect(looker.look(el, playing, false)).toEqual({
		...playing,
		starved: false,
		ahead: 12,
		whole: false,
		dropped: 0,
	});
	quality = { droppedVideoFrames: 15, totalVideoFrames: 30 };
	expect(looker.look(el, playing, false).dropped).toBe(0.5);
	quality = { droppedVideoFrames: 30, totalVideoFrames: 60 };
	expect(looker.look(el, playing, true).dropped).toBe(0);
	quality = { droppedVideoFrames: 0, totalVideoFrames: 1 }; // loaded anew
	expect(looker.look({ ...el, readyState: 1 }, { ...playing, moving: false }, false)).toMatchObject({
		starved: true,
		dropped: 0,
	});
});
