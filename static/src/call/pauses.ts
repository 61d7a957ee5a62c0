/** Pauses that are prepared, proposed and called during a call: who may change which, and what is sent. Pure. */
import type { Action, Clip, Member, Pause, PauseCall, PausePut } from "../event.gen.ts";
import { frameAt, framesOf } from "../sync/line.ts";

/** What somebody may do with a prepared pause. Own proposals are known by name here; the server knows better and says so. */
export type PauseRight = "edit" | "accept" | "read";

export function rightOn(p: Pause, may: ReadonlySet<Action>, me: Pick<Member, "name"> | undefined): PauseRight {
	if (may.has("prepare")) return p.proposed ? "accept" : "edit";
	return p.proposed && may.has("propose") && me?.name === p.by ? "edit" : "read";
}

/** The frame shown at a clip time, kept inside the chosen part of the clip. */
export function frameFor(us: number, clip: Clip): number {
	const { first, last } = framesOf(clip);
	return Math.min(Math.max(frameAt(us, clip), first), last);
}

/** The pause that a frame already has, other than this one. */
export function pauseOn(frame: number, pauses: Pause[], except: string): Pause | undefined {
	return pauses.find((p) => p.frame === frame && p.id !== except);
}

/** A fresh pause on a frame: time to talk, none to think alone. */
export function newPause(id: string, frame: number): PausePut {
	return { id, frame, prompt: "", think: 0, talk: 0 };
}

export function putOf({ id, frame, prompt, think, talk }: Pause): PausePut {
	return { id, frame, prompt, think, talk };
}

/** What is sent to call a pause: only what was said. */
export function callOf(prompt: string, think: number): PauseCall {
	const text = prompt.trim();
	return { ...(text ? { prompt: text } : {}), ...(think > 0 ? { think } : {}) };
}

/** Proposals that came since, by others. */
export function newProposals(before: ReadonlySet<string>, pauses: Pause[], me: string): Pause[] {
	return pauses.filter((p) => p.proposed && p.by !== me && !before.has(p.id));
}
