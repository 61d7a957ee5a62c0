import { describe, expect, it } from "vitest";
import type { Door } from "../api.ts";
import { causeOf, sentenceFor, sentencesFor } from "./devices.ts";
import { levelOf } from "./Level.tsx";
import { missingSentence, observersSentence } from "./LobbyPage.tsx";
import { optionsOf } from "./preview.ts";

describe("why a device does not start", () => {
	it.each([
		["NotAllowedError", "", "denied"],
		["NotAllowedError", "Permission denied by system", "denied-system"],
		["NotFoundError", "", "missing"],
		["OverconstrainedError", "", "missing"],
		["NotReadableError", "", "busy"],
		["SecurityError", "", "insecure"],
		["TypeError", "", "unknown"],
	])("%s %s", (name, message, cause) => {
		expect(causeOf(new DOMException(message, name), true)).toBe(cause);
	});
	it("is the address, where browsers do not trust it", () => {
		expect(causeOf(new DOMException("", "NotAllowedError"), false)).toBe("insecure");
		expect(causeOf(undefined, true)).toBe("unknown");
	});
	it("is told with what to do, and keeps nobody out", () => {
		for (const cause of ["denied", "denied-system", "missing", "busy", "insecure", "unknown"] as const)
			for (const kind of ["camera", "microphone"] as const) {
				expect(sentenceFor(kind, cause)).toContain("You can join without it");
				expect(sentenceFor(kind, cause)).toMatch(/try again|Ask/);
				expect(sentencesFor(cause, cause).join(" ")).toContain("You can join without");
			}
	});
	it("is told once for both where it is one cause", () => {
		expect(sentencesFor("denied", "denied")).toHaveLength(1);
		expect(sentencesFor("denied", "busy")).toHaveLength(2);
		expect(sentencesFor(null, null)).toEqual([]);
	});
});

describe("the door", () => {
	it("says what is missing before Join", () => {
		expect(missingSentence(false, false)).toBe("");
		expect(missingSentence(true, false)).toContain("name");
		expect(missingSentence(false, true)).toContain("recording");
		expect(missingSentence(true, true)).toMatch(/name.*recording/);
	});
	it("speaks of observers in every case", () => {
		const of = (d: Partial<Door>) => observersSentence({ invited: {}, ...d });
		expect(of({})).toBe("No observers are invited.");
		expect(of({ invited: { observer: 2 } })).toContain("2 observers are invited");
		expect(of({ observers: true })).toContain("Observers may come");
	});
});

describe("device lists", () => {
	const device = (kind: string, deviceId: string, label: string) => ({ kind, deviceId, label }) as MediaDeviceInfo;
	const found = [
		device("audioinput", "default", "Default"),
		device("audioinput", "a", "Headset (046d:0a44)"),
		device("audioinput", "b", ""),
	];
	it("name what there is, plainly", () => {
		const { options, value } = optionsOf(found, "audioinput", "Microphone", "a");
		expect(options.map((o) => o.label)).toEqual(["Usual one", "Headset", "Microphone 2"]);
		expect(value).toBe("a");
	});
	it("fall back to the usual one when the chosen is gone", () => {
		expect(optionsOf(found, "audioinput", "Microphone", "gone", "Headset").value).toBe("");
		expect(optionsOf(found, "audioinput", "Microphone", "", "Headset").options[0]!.label).toBe("Headset");
	});
	it("say that there is none", () => {
		expect(optionsOf(found, "videoinput", "Camera", "")).toMatchObject({
			disabled: true,
			options: [{ label: "None found" }],
		});
		expect(optionsOf([], "videoinput", "Camera", "").disabled).toBe(false);
	});
});

describe("the level", () => {
	it("goes from silence to loud", () => {
		expect(levelOf([])).toBe(0);
		expect(levelOf([0, 0, 0])).toBe(0);
		expect(levelOf([1, -1])).toBe(1);
		const quiet = levelOf([0.01, -0.01]);
		expect(quiet).toBeGreaterThan(0.3);
		expect(quiet).toBeLessThan(0.6);
	});
});
