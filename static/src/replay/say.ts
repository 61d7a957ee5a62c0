/** The replay's sentences. */
import type { Kind } from "../api.ts";
import type { RecordingState } from "../event.gen.ts";
import { fmtClip, fmtClock, names } from "../ui/time.ts";
import type { Chapter, History, Interval } from "./history.ts";
import type { Missing } from "./missing.ts";

/** ms; the recording trails no more than this where nothing is missing */
const SOON = 5000;

const numbers = ["", "", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];

/** "The four of you": who can see the replay, the reader included. */
export function whoCanSee(n: number): string {
	if (n <= 1) return "Only you";
	return `The ${numbers[n] ?? n} of you`;
}

/** Off the record, as a sentence. Times are the reader's clock. */
export function offRecord(off: Interval, opened: number, duration: number): string {
	const from = fmtClock(opened + off.from);
	const to = fmtClock(opened + off.to);
	if (off.from <= 0 && off.to >= duration) {
		return "This conversation was not recorded; you can still go through its pauses and notes.";
	}
	if (off.from <= 0) return `Not recorded until ${to}.`;
	if (off.to >= duration) return `Not recorded after ${from}.`;
	return from === to ? `Not recorded for a moment at ${from}.` : `Not recorded from ${from} to ${to}.`;
}

/** What is missing although it was on the record, with what people read about that. */
export function lacking(m: Missing, opened: number): string {
	const from = fmtClock(opened + m.from);
	const to = fmtClock(opened + m.to);
	const when = from === to ? `for a moment at ${from}` : `from ${from} to ${to}`;
	return `Not everything was stored ${when}: “${m.reason}”`;
}

/** Where somebody's voice is missing. */
export function unheard(gaps: Interval[], opened: number): string {
	return `No sound was stored ${names(
		gaps.map((i) => `from ${fmtClock(opened + i.from)} to ${fmtClock(opened + i.to)}`),
		gaps.length,
	)}`;
}

/** While the session goes on: until when one sees what was, and how much of the recording is there. It is filed by the minute. */
export function goingOn(opened: number, until: number, heard: Interval[], recording: RecordingState): string {
	const start = `The session is still going on. You see what was until ${fmtClock(opened + until)}.`;
	const last = heard.at(-1)?.to;
	if (recording !== "on" || (last !== undefined && until - last < SOON)) return start;
	if (last === undefined)
		return `${start} Pictures and voices follow within about a minute: load this page again then.`;
	return `${start} Pictures and voices are here up to ${fmtClock(opened + last)}. Load this page again for more.`;
}

/** What a pause is called. */
export function titleOf(c: Chapter): string {
	return c.prompt || `A pause called by ${c.by}`;
}

/** Thinking alone, then talking together: the phases of a pause that it came to, in order. */
export function phasesOf(c: Chapter): (Interval & { word: string })[] {
	const turn = Math.min(c.talkFrom ?? c.to, c.to);
	return [
		{ from: c.from, to: turn, word: "thinking alone" },
		{ from: turn, to: c.to, word: "talking" },
	].filter((p) => p.to > p.from);
}

/** The phase of a pause at a moment in it. */
export function phaseAt(c: Chapter, t: number): string {
	return phasesOf(c).findLast((p) => p.from <= t)?.word ?? "";
}

/** Where one is among the pauses: in one, before the first, or after one. */
export function amongPauses(h: History, t: number): string {
	const n = h.chapters.length;
	const now = h.chapterAt(t);
	if (now) return `Pause ${now.number} of ${n}`;
	const passed = h.passedAt(t);
	return passed === 0 ? `Before pause 1 of ${n}` : `After pause ${passed} of ${n}`;
}

/** The slider's spoken value. */
export function spoken(h: History, t: number, nameOf: (id: string) => string): string {
	const parts = [fmtClock(h.end.session.opened + t)];
	const pause = h.chapterAt(t);
	if (pause) parts[0] += `, pause ${pause.number}, ${phaseAt(pause, t)}: ${titleOf(pause)}`;
	const speakers = h.speakersAt(t).map(nameOf);
	if (speakers.length) parts.push(`${names(speakers)} ${speakers.length > 1 ? "are" : "is"} speaking`);
	const shown = h.shownAt(t);
	if (shown.onClip) parts.push(`Clip at ${fmtClip(shown.position, true)}`);
	return parts.map((p) => (/[?.!]$/.test(p) ? p : `${p}.`)).join(" ");
}

/** What the session is called in the bar. */
export const conversationWord: Record<Kind, string> = {
	kickoff: "First call",
	conversation: "Conversation",
	inquiry: "Group inquiry",
	"live-lesson": "Live lesson",
	reflection: "Reflection",
};
