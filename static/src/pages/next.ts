import type { Clip, SessionCard } from "../api.ts";

/** A planned session counts as next until so long after its time. */
const GRACE = 3 * 3600_000;

/** The session to show first: one that is open, then the soonest, then the newest without a date. */
export function nextOf(sessions: SessionCard[], now: number): SessionCard | undefined {
	const live = sessions.filter((s) => s.state === "live");
	const busy = live.find((s) => s.inside > 0);
	if (busy) return busy;
	const soon = sessions
		.filter((s) => s.state === "planned" && s.scheduled && Date.parse(s.scheduled) > now - GRACE)
		.sort((a, b) => Date.parse(a.scheduled!) - Date.parse(b.scheduled!));
	return soon[0] ?? live[0] ?? sessions.find((s) => s.state === "planned" && !s.scheduled);
}

export interface WaitingFor {
	title: string;
	sentence: string;
	action: string;
	href: string;
	clip: string | null;
}

/** Up to two things that wait for the reader: a clip that cannot go on without them, a session without pauses. */
export function waitingOf(sessions: SessionCard[], clips: Clip[]): WaitingFor[] {
	const all: WaitingFor[] = [];
	for (const c of clips.filter((c) => c.mine)) {
		const common = { title: c.title || "Clip without a title", href: `/clips/${c.id}`, clip: null };
		if (c.state === "uploading") all.push({ ...common, sentence: "Not all of it has arrived", action: "Go on" });
		if (c.state === "refused") all.push({ ...common, sentence: "This file cannot be shown", action: "See why" });
	}
	for (const s of sessions) {
		if (s.state !== "planned" || !s.mine || !s.clip || s.pauses > 0) continue;
		const href = `/s/${s.id}/plan`;
		all.push({
			title: s.title || s.focus,
			sentence: "No pauses are prepared yet",
			action: "Prepare",
			href,
			clip: s.clip,
		});
	}
	return all.slice(0, 2);
}
