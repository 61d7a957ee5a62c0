import { expect, it } from "vitest";
import type { Event, Member, View } from "../event.gen.ts";
import { removedSentence } from "./AboutDialog.tsx";
import { aboutOf } from "./about.ts";
import { firstSentence } from "./Measures.tsx";

const member = (id: string, consent: Member["consent"]) => ({ id, consent }) as Member;
const withdrew = (id: string, notes: boolean, when: number) =>
	({ type: "member.withdrew", at: 1, data: { member: member(id, "withdrawn"), notes, when } }) as Event;
const erased = (id: string, files: number) =>
	({ type: "recording.erased", at: 2, data: { member: id, until: 1, files: Array(files).fill({}), when: 9 } }) as Event;

it("tells what was recorded, who agreed, and what was removed", () => {
	const end = { members: [member("a", "agreed"), member("b", "withdrawn"), member("c", "withdrawn")] } as View;
	const events = [withdrew("b", true, 5), withdrew("c", false, 6), erased("b", 3)];
	const about = aboutOf(events, end, [
		{ from: 0, to: 60_000 },
		{ from: 90_000, to: 120_000 },
	]);
	expect(about.recorded).toBe(90_000);
	expect(about.agreed.map((m) => m.id)).toEqual(["a"]);
	expect(about.removed).toEqual([
		{ member: "b", when: 5, notes: true, files: 3 },
		{ member: "c", when: 6, notes: false, files: null },
	]);
	expect(removedSentence(about.removed[0]!, "Ben")).toMatch(
		/: Ben took back their consent\. .* removed: 3 files\. What they wrote was removed, too\.$/,
	);
	expect(removedSentence(about.removed[1]!, "You")).toMatch(/of you is being removed\.$/);
	expect(removedSentence(about.removed[1]!, "You", true)).toMatch(/shown to nobody any more, .* legal hold ends\.$/);
});

it("says who spoke first, as far as it is told", () => {
	const pause = { hold: "h", began: 0, spoken: true, member: "b", after: 4210 };
	expect(firstSentence(pause, "Ben")).toBe("Ben after 4.2 s");
	expect(firstSentence({ ...pause, after: 0 }, "")).toBe("Somebody at once");
	expect(firstSentence({ ...pause, spoken: false }, "")).toBe("Nobody spoke");
});
