import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ApiError } from "./api.ts";
import { Autosave } from "./autosave.ts";

interface Thing {
	title: string;
	focus: string;
}

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

describe("Autosave", () => {
	it("saves the last of quick changes once", async () => {
		const seen: Partial<Thing>[] = [];
		const a = new Autosave<Thing>(async (c) => void seen.push(c));
		a.put({ title: "Y" });
		a.put({ title: "Year 5" });
		a.put({ focus: "Who thinks?" });
		expect(a.state.value.phase).toBe("unsaved");
		await vi.runAllTimersAsync();
		expect(seen).toEqual([{ title: "Year 5", focus: "Who thinks?" }]);
		expect(a.state.value.phase).toBe("saved");
		expect(a.pending).toBe(false);
	});
	it("sends what changed while it was saving afterwards", async () => {
		const seen: Partial<Thing>[] = [];
		let done: () => void = () => undefined;
		const a = new Autosave<Thing>((c) => {
			seen.push(c);
			return new Promise((resolve) => {
				done = resolve;
			});
		});
		a.put({ title: "one" });
		await vi.advanceTimersByTimeAsync(500);
		a.put({ title: "two" });
		await vi.advanceTimersByTimeAsync(500);
		expect(seen).toEqual([{ title: "one" }]);
		done();
		await vi.advanceTimersByTimeAsync(0);
		expect(seen).toEqual([{ title: "one" }, { title: "two" }]);
		done();
		await vi.advanceTimersByTimeAsync(0);
		expect(a.state.value.phase).toBe("saved");
	});
	it("keeps what a lost connection did not take, and sends it when it is back", async () => {
		let lost = true;
		const seen: Partial<Thing>[] = [];
		const a = new Autosave<Thing>(async (c) => {
			if (lost) throw new ApiError(0, "offline", "We cannot reach the server.");
			seen.push(c);
		});
		a.put({ title: "one" });
		await vi.advanceTimersByTimeAsync(500);
		expect(a.state.value).toMatchObject({ phase: "failed", final: false });
		lost = false;
		await vi.advanceTimersByTimeAsync(3000);
		expect(seen).toEqual([{ title: "one" }]);
		expect(a.state.value.phase).toBe("saved");
	});
	it("does not repeat what the server refuses until it is changed", async () => {
		let tries = 0;
		const a = new Autosave<Thing>(async (c) => {
			tries++;
			if (c.title === "") throw new ApiError(422, "invalid", "Give it a title.");
		});
		a.put({ title: "" });
		await vi.advanceTimersByTimeAsync(60_000);
		expect(tries).toBe(1);
		expect(a.state.value).toEqual({ phase: "failed", sentence: "Give it a title.", final: true });
		a.put({ title: "Year 5" });
		await vi.runAllTimersAsync();
		expect(tries).toBe(2);
		expect(a.state.value.phase).toBe("saved");
	});
});
