/** For how long a session is kept, in sentences. Pure. */
import type { Keeping, Receipt } from "../api.ts";
import { count, fmtDay, midSentence } from "../ui/time.ts";

/** "for ever", "for 1 week", "for 30 days" */
export function keptFor(days: number): string {
	if (days === 0) return "for ever";
	if (days === 7) return "for 1 week";
	if (days === 365) return "for 1 year";
	return `for ${count(days, "day")}`;
}

/** What to choose from; what is chosen already is among it. */
export function keepOptions(now: number): { value: string; label: string }[] {
	const usual = [7, 30, 90, 365];
	const all = usual.includes(now) || now === 0 ? usual : [...usual, now].sort((a, b) => a - b);
	const label = (days: number) => {
		const words = keptFor(days);
		return days === 0 ? "For ever" : words.slice(4);
	};
	return [...all, 0].map((days) => ({ value: String(days), label: label(days) }));
}

/** "today", "tomorrow", "on 3 March" */
export function onDay(when: string, now: number = Date.now()): string {
	const day = fmtDay(when, now);
	return /^\d|^[A-Z][a-z]+ \d/.test(day) ? `on ${day}` : midSentence(day);
}

/** The whole of it, for everybody who was there. */
export function keepingSentence(k: Keeping, now: number = Date.now()): string {
	if (k.held) {
		return `This conversation is under a legal hold since ${midSentence(fmtDay(k.held, now))}: nothing of it is deleted until that ends.`;
	}
	if (k.deletes) {
		if (Date.parse(k.deletes) <= now) return "This conversation is being deleted.";
		return `This conversation is deleted ${onDay(k.deletes, now)}, with everything that was recorded and written.`;
	}
	if (k.days > 0) return `This conversation is kept ${keptFor(k.days)} after it ends, then deleted.`;
	return "This conversation is kept until somebody deletes it.";
}

/** The same in a few words, where there is little room; empty where nothing is to be said. */
export function keepingNote(k: Keeping, now: number = Date.now()): string {
	if (k.held) return "Legal hold";
	return k.deletes ? `Kept until ${midSentence(fmtDay(k.deletes, now))}` : "";
}

/** Why something was deleted, and when. */
export function receiptSentence(r: Receipt, now: number = Date.now()): string {
	const day = onDay(r.begun, now);
	const why =
		r.rule === "by-hand"
			? `It was deleted ${day} by who planned it.`
			: `It was to be kept ${keptFor(r.days)}, and was deleted ${day}.`;
	if (!r.done) return `${why} Its files are being removed.`;
	const files = r.files.length === 0 ? "There were no files." : `${count(r.files.length, "file")} went for good.`;
	const clips = r.clips.length === 0 ? "" : ` ${count(r.clips.length, "clip")} of the conversation went with it.`;
	return `${why} ${files}${clips}`;
}
