import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Frame } from "../event.gen.ts";
import { layersFor, Media } from "./media.ts";
import { FakePeerConnection } from "./simulated.ts";

const settled = () => new Promise((resolve) => setTimeout(resolve));

describe("offers and answers", () => {
	let sent: Frame[];
	let media: Media;

	beforeEach(() => {
		FakePeerConnection.all = [];
		vi.stubGlobal("RTCPeerConnection", FakePeerConnection);
		vi.stubGlobal("RTCRtpReceiver", { getCapabilities: () => null });
		sent = [];
		media = new Media({ send: (f) => sent.push(f), onRemote: () => {}, onHealth: () => {} });
	});
	afterEach(() => {
		media.close();
		vi.unstubAllGlobals();
	});

	const answer = (offer: number, sdp: string) =>
		media.onSignal({ type: "rtc.answer", data: { pc: "publish", offer, sdp } });
	const numbers = () => sent.flatMap((f) => (f.type === "rtc.offer" ? f.data.offer : []));

	it("drops an answer to the offer of a connection that is gone", async () => {
		media.connected(true, false);
		await media.set("audio", { stop: () => {} } as MediaStreamTrack);
		await settled();
		media.onSignal({ type: "rtc.restart", data: { pc: "publish" } });
		await settled();
		expect(numbers()).toEqual([1, 2]);
		answer(1, "late");
		await settled();
		expect(FakePeerConnection.all[1]!.applied).toEqual([]);
		answer(2, "right");
		await settled();
		expect(FakePeerConnection.all.map((c) => c.applied)).toEqual([[], ["right"]]);
	});

	it("gives both connections the relays that the server names, the newest", async () => {
		const relay = (username: string) => ({ urls: ["turn:calls.example:3478"], username, credential: "secret" });
		media.onSignal({ type: "rtc.relays", data: { servers: [relay("old")] } });
		media.onSignal({ type: "rtc.relays", data: { servers: [relay("new")] } });
		media.connected(true, false);
		await media.set("audio", { stop: () => {} } as MediaStreamTrack);
		media.onSignal({ type: "rtc.offer", data: { pc: "subscribe", offer: 1, sdp: "theirs" } });
		await settled();
		expect(FakePeerConnection.all.map((c) => c.config.iceServers)).toEqual([[relay("new")], [relay("new")]]);
	});

	it("numbers what one connection offers again", async () => {
		media.connected(true, false);
		await media.set("audio", { stop: () => {} } as MediaStreamTrack);
		await settled();
		await media.set("camera", { stop: () => {} } as MediaStreamTrack); // in the next offer, when this one is answered
		answer(1, "first");
		await settled();
		expect(numbers()).toEqual([1, 2]);
		answer(1, "again");
		await settled();
		expect(FakePeerConnection.all[0]!.applied).toEqual(["first"]);
		answer(2, "second");
		await settled();
		expect(FakePeerConnection.all[0]!.applied).toEqual(["first", "second"]);
	});

	it("answers with the number of the server's offer", async () => {
		media.connected(false, false);
		media.onSignal({ type: "rtc.offer", data: { pc: "subscribe", offer: 7, sdp: "theirs" } });
		await settled();
		expect(sent).toEqual([{ type: "rtc.answer", data: { pc: "subscribe", offer: 7, sdp: "answer of 0" } }]);
	});

	const camera = (height: number) =>
		({ stop: () => {}, getSettings: () => ({ height }) }) as unknown as MediaStreamTrack;
	const wanted = (height: number) => media.onSignal({ type: "rtc.wanted", data: { source: "camera", height } });
	const sizes = () => FakePeerConnection.all.at(-1)!.encodings.flatMap((e) => (e.active ? e.rid! : []));

	it("sends the sizes that somebody shows, and all until it is told", async () => {
		media.connected(true, false);
		await media.set("camera", camera(540));
		await settled();
		answer(1, "right");
		await settled();
		expect(sizes()).toEqual(["q", "h", "f"]);
		for (const [height, sent] of [
			[270, "q h"],
			[0, "q"],
			[16384, "q h f"],
			[100, "q"],
		] as const) {
			wanted(height);
			await settled();
			expect(sizes().join(" "), `${height} lines`).toBe(sent);
		}
		media.onSignal({ type: "rtc.restart", data: { pc: "publish" } });
		await settled();
		expect(sizes(), "on a new connection").toEqual(["q", "h", "f"]);
	});
});

describe("layers", () => {
	it("are sent up to the smallest that fills the place, and one always", () => {
		const of = (wanted: number) => layersFor([135, 270, 540], wanted).filter(Boolean).length;
		expect([0, 135, 136, 270, 271, 540, 16384].map(of)).toEqual([1, 1, 2, 2, 3, 3, 3]);
	});
});
