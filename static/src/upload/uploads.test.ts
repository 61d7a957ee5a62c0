import { DetailedError, type HttpResponse, Upload } from "tus-js-client";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { api, type Me } from "../api.ts";
import { ClipUpload } from "./uploads.ts";

const stranger: Me = { account: null, setup: false };

/** An upload that goes on, without a network; refuse() is the server's 403 to what is under way. */
async function setUp() {
	let refuse = () => {};
	vi.spyOn(Upload.prototype, "start").mockImplementation(function (this: Upload) {
		const originalResponse = { getStatus: () => 403, getBody: () => "" } as HttpResponse;
		const error = Object.assign(new DetailedError("refused"), { originalResponse });
		refuse = () => this.options.onError?.(error);
	});
	const upload = new ClipUpload(new File(["video"], "a.mp4"), {}, { clip: "c", uploadId: "u" });
	await upload.start();
	return { upload, refuse: () => refuse() };
}

const settled = () => new Promise((done) => setTimeout(done));

describe("an upload that is refused", () => {
	let answer: (me: Me) => void;
	let fail: (e: Error) => void;
	beforeEach(() => {
		const asked = new Promise<Me>((resolve, reject) => {
			answer = resolve;
			fail = reject;
		});
		vi.spyOn(api, "me").mockReturnValue(asked);
	});
	afterEach(() => void vi.restoreAllMocks());

	it("says so once it is known who is signed in", async () => {
		const { upload, refuse } = await setUp();
		refuse();
		expect(upload.state.value.phase).toBe("starting");
		answer(stranger);
		await settled();
		expect(upload.state.value).toMatchObject({ phase: "failed" });
		expect(upload.state.value.sentence).toContain("You are signed out");
	});

	it("tells nothing of a try that was paused and resumed meanwhile", async () => {
		const { upload, refuse } = await setUp();
		refuse();
		await upload.pause();
		await upload.resume();
		answer(stranger);
		await settled();
		expect(upload.state.value).toMatchObject({ phase: "starting", sentence: "" });
		refuse(); // the newest try's own end counts
		await settled();
		expect(upload.state.value.phase).toBe("failed");
	});

	it("blames nobody where it cannot be asked who is signed in", async () => {
		const { upload, refuse } = await setUp();
		refuse();
		fail(new Error("offline"));
		await settled();
		expect(upload.state.value.sentence).toContain("Check that you are signed in");
		expect(upload.state.value.sentence).not.toContain("another account");
	});
});
