import { describe, expect, it } from "vitest";
import type { Film } from "../api.ts";
import { filmSentence } from "./FilmDialog.tsx";

const film: Film = { state: "none", progress: 0, problem: "", bytes: 0, cards: false, captions: false };

describe("what is said of a film", () => {
	it("tells that it waits, how far it is, and how large it is", () => {
		expect(filmSentence({ ...film, state: "waiting" })).toContain("in line");
		expect(filmSentence({ ...film, state: "rendering", progress: 0.417 })).toContain("42 %");
		expect(filmSentence({ ...film, state: "ready", bytes: 1_536_000 })).toContain("1.5 MB");
	});
});
