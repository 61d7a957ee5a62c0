/** Whose faces are shown, in which order, and what is said at a face. Pure. */
import type { Hold, Member } from "../event.gen.ts";
import { hands } from "./say.ts";

/** People who take part, in the order in which they came; that does not change with who speaks. Observers are in the roster only. */
export function facesOf(members: Member[], leaveOut?: string): Member[] {
	return members.filter((m) => m.presence !== "left" && m.role !== "observer" && m.id !== leaveOut);
}

export type FaceState = "away" | "poor" | "alone" | "catching-up" | "first" | "next" | "hand" | "writing" | null;

/** What is said at a face: the most important thing only. */
export function faceState(
	m: Member,
	all: Member[],
	hold: Hold | null,
	typing: ReadonlyMap<string, string>,
	quality: ReadonlyMap<string, string>,
	now: number,
): FaceState {
	if (m.presence === "away") return "away";
	if (quality.get(m.id)) return "poor";
	if (m.watching === "own") return "alone";
	if (m.watching === "behind") return "catching-up";
	if (hold && !hold.confirmed.includes(m.id) && now - hold.began > 1500) return "catching-up";
	const queue = hands(all);
	const place = queue.findIndex((q) => q.id === m.id);
	if (place === 0) return hold ? "first" : "hand";
	if (place === 1 && hold) return "next";
	if (place > 0) return "hand";
	return typing.has(m.id) ? "writing" : null;
}
