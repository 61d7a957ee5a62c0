import { afterEach, expect, it, vi } from "vitest";
import { addressOf, letGoEarly, loadEarly, renditionFor } from "./early.ts";

afterEach(() => void vi.restoreAllMocks());

it("the small picture is taken where the connection asks for it", () => {
	expect(renditionFor("auto")).toBe("720p");
	expect(renditionFor("auto", { saveData: true })).toBe("360p");
	expect(renditionFor("auto", { effectiveType: "3g" })).toBe("360p");
	expect(renditionFor("720p", { saveData: true })).toBe("720p");
});

it("the beginning of a clip is fetched where the call will look for it, and let go of then", () => {
	const create = vi.spyOn(document, "createElement");
	loadEarly("a/b");
	const el = create.mock.results[0]?.value as HTMLVideoElement;
	expect(el.getAttribute("src")).toBe(addressOf("a/b", "720p"));
	expect(el.getAttribute("src")).toBe("/api/clips/a%2Fb/media/720p.mp4");
	expect(el.preload).toBe("metadata");
	letGoEarly();
	expect(el.hasAttribute("src")).toBe(false);
	letGoEarly();
});
