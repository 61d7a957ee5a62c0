import { type Signal, signal } from "@preact/signals";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Command, Hold, Playback, View } from "../event.gen.ts";
import { frameMiddle } from "../sync/line.ts";
import { SimulatedMedia } from "../sync/simulated.ts";
import { SharedClip } from "./clip.ts";

const clip = { duration: 600_000_000, frames: 15_000, fpsNum: 25, fpsDen: 1, from: 0, to: 600_000_000 };
const middle = (n: number) => frameMiddle(n, clip);
const stopped: Playback = { mode: "stopped", position: middle(50), rate: 1, at: 0, seq: 1, ready: [], by: "" };

beforeEach(() => {
	vi.useFakeTimers();
	// Nothing is painted here: the element's own time tells which frame is shown.
	vi.spyOn(document, "visibilityState", "get").mockReturnValue("hidden");
});
afterEach(() => {
	vi.useRealTimers();
	vi.restoreAllMocks();
});

function setUp() {
	const begun = performance.now();
	const now = () => performance.now() - begun;
	const view = signal({ clip, playback: stopped, pauses: [], members: [], hold: null } as unknown as View | null);
	const told: Command[] = [];
	const shared = new SharedClip({
		view: view as Signal<View | null>,
		you: signal("me"),
		now,
		tell: (c) => told.push(c),
	});
	const media = new SimulatedMedia();
	shared.attach(media);
	const change = (some: object) => {
		view.value = { ...view.peek(), ...some } as View;
	};
	const play = (seq: number, position: number) =>
		change({ playback: { ...stopped, mode: "playing", seq, position, at: now() } });
	const types = () => told.splice(0).map((c) => (c.type === "member.watch" ? `watch ${c.data.watching}` : c.type));
	return { shared, media, now, change, play, types };
}

const run = (ms: number) => vi.advanceTimersByTimeAsync(ms);

it("follows the room, and tells it when it could play", async () => {
	const t = setUp();
	await run(500);
	expect(t.media.currentTime * 1e6).toBeCloseTo(middle(50), 0);
	expect(t.types()).toEqual(["playback.ready"]);
	t.shared.close();
	expect(vi.getTimerCount()).toBe(0);
});

it("goes its own way while one looks around, tells that only, and comes back to where the others are", async () => {
	const t = setUp();
	t.play(2, middle(50));
	await run(2000);
	t.types();
	t.shared.lookAround(true);
	expect(t.types()).toEqual(["watch own"]);
	await run(300);
	expect(t.media.paused).toBe(true);
	t.shared.seek(middle(2500));
	await run(500);
	expect(t.media.currentTime).toBeCloseTo(middle(2500) / 1e6, 3);
	t.shared.playOrStop();
	await run(2000);
	expect(t.media.currentTime).toBeGreaterThan(middle(2500) / 1e6 + 1);
	t.shared.step(-1);
	await run(500);
	expect(t.media.paused).toBe(true);
	t.play(3, middle(500)); // the others go elsewhere
	await run(1000);
	expect(t.media.paused).toBe(true);
	expect(t.shared.othersAt()).toBeCloseTo(middle(500) + 1_000_000, -1);
	expect(t.types()).toEqual([]);
	t.shared.lookAround(false);
	expect(t.types()).toEqual(["watch "]);
	await run(3000);
	expect(t.media.paused).toBe(false);
	expect(Math.abs(t.media.currentTime * 1e6 - t.shared.othersAt())).toBeLessThan(15_000);
	t.shared.close();
});

it("confirms a pause's frame with the others only, and at once when one comes back", async () => {
	const t = setUp();
	await run(500);
	t.shared.lookAround(true);
	t.types();
	const hold = { id: "h", frame: 200, position: middle(200), seq: 2, confirmed: [] as string[] } as Hold;
	t.change({ hold, playback: { ...stopped, mode: "holding", seq: 2, position: middle(200), at: t.now() } });
	t.shared.holdBegan();
	await run(4000);
	expect(t.types()).toEqual([]);
	t.shared.lookAround(false);
	await run(400);
	const told = t.types();
	expect(told).toContain("hold.confirm");
	expect(t.media.currentTime * 1e6).toBeCloseTo(middle(200), 0);
	t.shared.close();
});

it("says that one is behind when the clip does not arrive, and when it does again", async () => {
	const t = setUp();
	t.play(2, middle(50));
	await run(2000);
	t.types();
	t.media.starve(true);
	await run(1000);
	expect(t.types()).toEqual([]);
	await run(1500);
	expect(t.types()).toEqual(["watch behind"]);
	expect(t.shared.behind.value).toBe(true);
	t.media.starve(false);
	await run(3000);
	expect(t.types()).toEqual(["watch "]);
	expect(t.shared.behind.value).toBe(false);
	t.shared.close();
});

it("tells a new connection that one looks around", async () => {
	const t = setUp();
	await run(500);
	t.shared.lookAround(true);
	t.types();
	t.shared.welcome();
	await run(300);
	expect(t.types()).toEqual(["watch own"]);
	t.shared.close();
});
