import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Buffering, nextWait, type Received } from "./buffering.ts";

const before: Received = { asked: 10, freezes: 2, frozen: 400, planned: 1000, shown: 20 };
const later = (more: Partial<Received>): Received => ({ ...before, planned: 2000, shown: 40, ...more });
const none = { target: 0, lostAt: 0 };

describe("how long pictures wait", () => {
	it("is no longer than they must where nothing is lost", () => {
		expect(nextWait(none, before, later({}), 200, 5000)).toEqual(none);
		expect(nextWait(none, before, later({ freezes: 3, frozen: 700 }), 200, 5000), "a busy machine").toEqual(none);
	});

	it("is as long as that takes where something is sent again", () => {
		expect(nextWait(none, before, later({ asked: 11 }), 200, 5000)).toEqual({ target: 200, lostAt: 5000 });
		expect(nextWait({ target: 250, lostAt: 0 }, before, later({ asked: 11 }), 200, 5000).target).toBe(250);
	});

	it("grows by what a picture came too late, as far as that is seen", () => {
		expect(nextWait(none, before, later({ asked: 11, freezes: 3, frozen: 700 }), 20, 0).target).toBe(50 + 300 - 100);
		expect(nextWait(none, before, later({ asked: 11, freezes: 4, frozen: 800 }), 20, 0).target).toBe(50 + 200 - 100);
		const unknown = { planned: before.planned, shown: before.shown };
		const late = later({ ...unknown, asked: 11, freezes: 3, frozen: 700 });
		expect(nextWait({ target: 100, lostAt: 0 }, before, late, 20, 0).target).toBe(100 + 300 - 100);
	});

	it("stays below what is in the way of a conversation", () => {
		expect(nextWait(none, before, later({ asked: 11, freezes: 3, frozen: 1300 }), 20, 0).target).toBe(500);
		const other = later({ asked: 11, freezes: 3, frozen: 1500 });
		expect(nextWait(none, before, other, 20, 0).target, "a camera that was off").toBe(20);
	});

	it("ends half a minute after the last loss", () => {
		const wait = { target: 200, lostAt: 1000 };
		expect(nextWait(wait, before, later({}), 200, 30_999)).toEqual(wait);
		expect(nextWait(wait, before, later({}), 200, 31_000).target).toBe(0);
	});
});

describe("a connection", () => {
	beforeEach(() => void vi.useFakeTimers());
	afterEach(() => void vi.useRealTimers());

	it("lets the sound and the camera of one person wait, and nothing else", async () => {
		const receivers = ["0", "1", "2", "3"].map((mid) => ({ mid, receiver: { jitterBufferTarget: null } }));
		const late = new Map<string, number>();
		let asked = 0;
		const picture = (mid: string, nackCount: number) => [
			mid,
			{ type: "inbound-rtp", kind: "video", mid, nackCount, freezeCount: 0 },
		];
		const pc = {
			getTransceivers: () => receivers,
			getStats: async () =>
				new Map([
					["pair", { type: "candidate-pair", nominated: true, currentRoundTripTime: 0.2 }],
					picture("1", asked),
					picture("3", 0),
				] as [string, object][]),
		} as unknown as RTCPeerConnection;
		const buffering = new Buffering(pc, late);
		buffering.list({
			"0": { member: "a", source: "audio" },
			"1": { member: "a", source: "camera" },
			"2": { member: "b", source: "audio" },
			"3": { member: "b", source: "camera" },
		});
		const targets = () => receivers.map((r) => r.receiver.jitterBufferTarget);
		await vi.advanceTimersByTimeAsync(1000);
		asked = 3;
		await vi.advanceTimersByTimeAsync(1000);
		expect(targets()).toEqual([200, 200, null, null]);
		await vi.advanceTimersByTimeAsync(31_000);
		expect(targets()).toEqual([null, null, null, null]);
		late.set("a", 150);
		asked = 4;
		await vi.advanceTimersByTimeAsync(1000);
		expect(targets(), "somebody whose way to the server loses some, too").toEqual([350, 350, null, null]);
		await vi.advanceTimersByTimeAsync(31_000);
		buffering.close();
		asked = 6;
		await vi.advanceTimersByTimeAsync(2000);
		expect(targets(), "after it was closed").toEqual([null, null, null, null]);
	});
});
