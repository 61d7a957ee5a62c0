import type { Clip, PlannedPause } from "../api.ts";
import { frameMiddle } from "../sync/line.ts";
import { fmtClip, fmtLength } from "../ui/time.ts";

/** What a talk without a length is reckoned with. */
const OPEN_TALK = 6 * 60_000;

export interface AgendaItem {
	pause: PlannedPause;
	/** µs of the clip, the middle of the frame. */
	clipTime: number;
	/** ms from the beginning, if everything takes what it is planned for. */
	begins: number;
	/** "at 12:04.5 · think 1 min, talk 6 min" */
	detail: string;
}

/** The pauses in the order of their frames, with when each would begin. */
export function agendaOf(pauses: PlannedPause[], clip: Clip): AgendaItem[] {
	let talked = 0;
	return [...pauses]
		.sort((a, b) => a.frame - b.frame)
		.map((pause) => {
			const clipTime = frameMiddle(pause.frame, clip);
			const begins = Math.max(0, clipTime - clip.from) / 1000 + talked;
			talked += pause.think + (pause.talk || OPEN_TALK);
			return { pause, clipTime, begins, detail: detailOf(pause, clipTime) };
		});
}

function detailOf(p: PlannedPause, clipTime: number): string {
	const parts = [p.think ? `think ${fmtLength(p.think)}` : "", p.talk ? `talk ${fmtLength(p.talk)}` : "talk freely"];
	return `at ${fmtClip(clipTime, true)} · ${parts.filter(Boolean).join(", ")}`;
}

/** How long all of it takes, ms: the chosen range once through, and the pauses. */
export function lengthOf(pauses: PlannedPause[], clip: Clip): number {
	const talk = pauses.reduce((sum, p) => sum + p.think + (p.talk || OPEN_TALK), 0);
	return (clip.to - clip.from) / 1000 + talk;
}

/** A choice of lengths; one that was set elsewhere is added in its place. */
export function lengthOptions(usual: number[], value: number, zero: string): { value: string; label: string }[] {
	const all = usual.includes(value) ? usual : [...usual, value].sort((a, b) => (a || Infinity) - (b || Infinity));
	return all.map((ms) => ({ value: String(ms), label: ms === 0 ? zero : fmtLength(ms) }));
}

/** "2026-05-14T10:00" as a field of the browser takes it, in the reader's zone; empty for none. */
export function localOf(iso: string | null | undefined): string {
	if (!iso) return "";
	const t = new Date(iso);
	if (Number.isNaN(t.getTime())) return "";
	return new Date(t.getTime() - t.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

export function isoOf(local: string): string | null {
	const t = new Date(local);
	return local === "" || Number.isNaN(t.getTime()) ? null : t.toISOString();
}
