/** The note that is being written: it takes the clip's and the session's time of its first key. Pure. */
import type { Note, NoteAdd, NoteType, Visibility } from "../../event.gen.ts";

export interface Draft {
	text: string;
	type: NoteType;
	visibility: Visibility;
	/** Times of the first key; null before it. */
	begun: { at: number; clip: number } | null;
	/** A range chosen by hand, µs; `to` is null until it is set. */
	range: { from: number; to: number | null } | null;
}

export interface Moment {
	/** session time, ms */
	at: number;
	/** clip time, µs */
	clip: number;
}

export function emptyDraft(visibility: Visibility, type: NoteType = "observation"): Draft {
	return { text: "", type, visibility, begun: null, range: null };
}

/** The text changed now. An emptied field forgets its times. */
export function write(d: Draft, text: string, now: Moment): Draft {
	if (text === "") return { ...d, text, begun: null };
	return { ...d, text, begun: d.begun ?? { at: Math.round(now.at), clip: Math.round(now.clip) } };
}

/** From here, to here, and none again: one button does the three. */
export function nextRange(d: Draft, clip: number): Draft {
	const us = Math.round(clip);
	if (!d.range) return { ...d, range: { from: us, to: null } };
	if (d.range.to !== null) return { ...d, range: null };
	return { ...d, range: { from: Math.min(d.range.from, us), to: Math.max(d.range.from, us) } };
}

/**
 * What is sent; null while there is nothing to send. On a clip, it says what its writer saw at the first key; a range that was not
 * closed ends where the clip is.
 */
export function toNote(d: Draft, id: string, now: Moment, onClip: boolean): NoteAdd | null {
	const text = d.text.trim();
	if (!text) return null;
	const begun = d.begun ?? { at: Math.round(now.at), clip: Math.round(now.clip) };
	const note: NoteAdd = { id, type: d.type, visibility: d.visibility, text, at: begun.at };
	if (!onClip) return note;
	if (!d.range) return { ...note, onClip, from: begun.clip, to: begun.clip };
	const to = d.range.to ?? Math.round(now.clip);
	return { ...note, onClip, from: Math.min(d.range.from, to), to: Math.max(d.range.from, to) };
}

/** What one may change of one's own note. */
export type Change = Pick<Note, "text" | "type" | "visibility" | "onClip" | "from" | "to">;

export function changeOf({ text, type, visibility, onClip, from, to }: Note): Change {
	return { text, type, visibility, onClip, from, to };
}

/** Whether there is anything to send. */
export function changed(c: Change, n: Note): boolean {
	const same = c.type === n.type && c.visibility === n.visibility && c.from === n.from && c.to === n.to;
	return !same || c.text.trim() !== n.text;
}

/** One end of the stretch is here now; it never runs backwards: the other end comes along. */
export function stretch(c: Change, end: "from" | "to", clip: number): Change {
	const us = Math.max(0, Math.round(clip));
	return end === "from" ? { ...c, from: us, to: Math.max(us, c.to) } : { ...c, from: Math.min(us, c.from), to: us };
}

/** Only its beginning. */
export function momentOf(c: Change): Change {
	return { ...c, to: c.from };
}
