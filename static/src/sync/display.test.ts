import { afterEach, describe, expect, it, vi } from "vitest";
import { pageDisplay } from "./display.ts";

afterEach(() => void vi.unstubAllGlobals());

/** A browser that gives frames this timestamp, µs. */
function telling(timestamp: number) {
	const close = vi.fn();
	vi.stubGlobal(
		"VideoFrame",
		class {
			timestamp = timestamp;
			close = close;
		},
	);
	return close;
}

describe("the frame that the page displays", () => {
	it("is told by the browser, and let go of", () => {
		const close = telling(3_333_333);
		expect(pageDisplay.frameOf({})).toBe(3_333_333);
		expect(close).toHaveBeenCalledOnce();
	});

	it("is not told where seconds come for microseconds, or nothing does", () => {
		for (const seconds of [0, 3, 7200]) {
			telling(seconds);
			expect(pageDisplay.frameOf({})).toBe(null);
		}
		vi.stubGlobal("VideoFrame", undefined);
		expect(pageDisplay.frameOf({})).toBe(null);
	});
});

describe("a paint", () => {
	const frames: (() => void)[] = [];
	const setUp = (hidden = false) => {
		frames.length = 0;
		vi.stubGlobal("requestAnimationFrame", (run: () => void) => frames.push(run));
		vi.stubGlobal("cancelAnimationFrame", (id: number) => {
			frames[id - 1] = () => {};
		});
		const state = vi.spyOn(document, "visibilityState", "get").mockReturnValue(hidden ? "hidden" : "visible");
		return { run: vi.fn(), state };
	};
	afterEach(() => void vi.restoreAllMocks());

	it("has passed when the second animation frame comes", () => {
		const { run } = setUp();
		pageDisplay.painted(run);
		frames[0]?.();
		expect(run).not.toHaveBeenCalled();
		frames[1]?.();
		expect(run).toHaveBeenCalledOnce();
	});

	it("is not awaited in a tab that is hidden meanwhile", () => {
		const { run, state } = setUp();
		pageDisplay.painted(run);
		state.mockReturnValue("hidden");
		document.dispatchEvent(new Event("visibilitychange"));
		expect(run).toHaveBeenCalledOnce();
		for (const frame of frames) frame();
		expect(run).toHaveBeenCalledOnce();
	});

	it("is called off", () => {
		const { run, state } = setUp();
		pageDisplay.painted(run)();
		for (const frame of frames) frame();
		state.mockReturnValue("hidden");
		document.dispatchEvent(new Event("visibilitychange"));
		expect(run).not.toHaveBeenCalled();
	});
});
