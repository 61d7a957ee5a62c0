import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Entry } from "../entry.ts";
import type { Action, View, Welcome } from "../event.gen.ts";
import type { Socket } from "./connection.ts";
import { CallSession } from "./session.ts";
import { FakePeerConnection } from "./simulated.ts";

/** A device that the person has been asked for and that starts when they have allowed it. */
class Asked {
	readonly track = { kind: "audio", readyState: "live", stop: vi.fn(), addEventListener: () => {} };
	readonly answered: Promise<{
		getTracks: () => unknown[];
		getVideoTracks: () => unknown[];
		getAudioTracks: () => unknown[];
	}>;
	allow!: () => void;

	constructor() {
		const tracks = () => [this.track];
		this.answered = new Promise((resolve) => {
			this.allow = () => resolve({ getTracks: tracks, getVideoTracks: tracks, getAudioTracks: () => [] });
		});
	}
}

const sent: { type: string; id?: string; data: unknown }[] = [];
const socket = {
	onopen: null,
	onmessage: null,
	onclose: null,
	send: (text: string) => void sent.push(JSON.parse(text)),
	close: () => {},
} as Socket & {
	onmessage: ((m: { data: string }) => void) | null;
};
const entry: Entry = {
	consent: null,
	mic: false,
	camera: false,
	devices: { mic: "", camera: "", speaker: "" },
	name: "Ada",
};
const settled = () => new Promise((resolve) => setTimeout(resolve));

/** The server says something. */
function hear(frame: unknown): void {
	socket.onmessage?.({ data: JSON.stringify(frame) });
}

function welcome(may: Action[]): void {
	const view = { session: { kind: "conversation" }, members: [], notes: [], pauses: [] } as unknown as View;
	const data: Welcome = { you: "me", may, seq: 1, now: 5000, view };
	socket.onopen?.();
	hear({ type: "welcome", data });
}

let asked: Asked;
let call: CallSession;

beforeEach(() => {
	asked = new Asked();
	sent.length = 0;
	vi.stubGlobal("RTCPeerConnection", FakePeerConnection);
	vi.stubGlobal("RTCRtpReceiver", { getCapabilities: () => null });
	vi.stubGlobal("navigator", {
		mediaDevices: { getUserMedia: () => asked.answered, getDisplayMedia: () => asked.answered },
	});
	call = new CallSession("s", entry, () => socket);
	welcome(["publish"]);
});
afterEach(() => call.close());

describe("a press", () => {
	const hand = (up: boolean) => void call.press({ type: "member.hand", data: { up } });
	const hands = () => sent.filter((c) => c.type === "member.hand");

	it("is not repeated while its answer is awaited, but its opposite counts", async () => {
		hand(true);
		hand(true);
		hand(false);
		expect(hands().map((c) => c.data)).toEqual([{ up: true }, { up: false }]);
		for (const { id } of hands()) hear({ type: "reply", id, data: {} });
		await settled();
		hand(true);
		expect(hands()).toHaveLength(3);
	});
});

describe("a device that starts late", () => {
	const starts = {
		microphone: () => call.setMic(true),
		camera: () => call.setCamera(true),
		screen: () => call.shareScreen(),
	};
	const ends = {
		"the call was left": () => call.close(),
		"the member was removed": () => hear({ type: "bye", data: { reason: "removed", message: "" } }),
		"the member only watches now": () => hear({ type: "you.changed", at: 5000, data: { may: [] } }),
	};
	for (const [device, start] of Object.entries(starts)) {
		it(`is on: ${device}`, async () => {
			const on = start();
			asked.allow();
			await on;
			expect(asked.track.stop).not.toHaveBeenCalled();
		});
		for (const [why, end] of Object.entries(ends)) {
			it(`is let go of when ${why} meanwhile: ${device}`, async () => {
				const on = start();
				await settled();
				end();
				asked.allow();
				await on;
				expect(asked.track.stop).toHaveBeenCalled();
				expect(call.mic.value ?? call.camera.value ?? call.screen.value).toBeNull();
			});
		}
	}
});
