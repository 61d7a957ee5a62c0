/** The fold of events into a view, by the same rules as the server's (package room/event, View.Fold). */
import type {
	Answer,
	Event,
	Hold,
	HoldBegan,
	Member,
	Note,
	Pause,
	Playback,
	Reply,
	SessionOpened,
	View,
} from "../event.gen.ts";

type Order<T> = (a: T, b: T) => number;

/** Gives the view after an event. The view given is not changed; what did not change keeps its identity. */
export function fold(v: View, e: Event): View {
	switch (e.type) {
		case "session.opened":
			return open(e.data);
		case "session.ended":
			return { ...v, session: e.data.session };
		case "member.joined":
		case "member.lost":
		case "member.left":
		case "member.removed":
			return arrive(v, e.data.member);
		case "member.changed":
			return putMember(v, e.data.member);
		case "member.withdrew":
			return withdraw(putMember(v, e.data.member), e.data.member.id, e.data.notes);
		case "controls.changed":
			return { ...v, controls: e.data.controls };
		case "pause.set":
			return { ...v, pauses: put(v.pauses, e.data.pause, idOf, byFrame) };
		case "pause.removed":
			return { ...v, pauses: drop(v.pauses, e.data.id, idOf) };
		case "recording.changed":
			return { ...v, recording: e.data.recording };
		case "keeping.changed":
			return { ...v, keeping: e.data.keeping };
		case "reuse.changed":
			return { ...v, reuse: e.data.reuse };
		case "playback.changed":
			return setLine(v, e.data.playback);
		case "playback.readied":
			if (e.data.seq !== v.playback.seq) return v;
			return { ...v, playback: { ...v.playback, ready: include(v.playback.ready, e.data.member) } };
		case "note.added":
		case "note.edited":
			return { ...v, notes: put(v.notes, withReplies(e.data.note), idOf, byAt) };
		case "note.removed":
			return { ...v, notes: drop(v.notes, e.data.id, idOf) };
		case "note.replied": {
			const { note, reply } = e.data;
			return changeNote(v, note, (n) => ({ ...n, replies: put(n.replies, reply, idOf, byAt) }));
		}
		case "reply.removed": {
			const { note, id } = e.data;
			return changeNote(v, note, (n) => ({ ...n, replies: drop(n.replies, id, idOf) }));
		}
		case "drawing.added":
			return { ...v, drawings: [...v.drawings, e.data.drawing] };
		case "drawing.removed": {
			const { ids } = e.data;
			return { ...v, drawings: v.drawings.filter((d) => !ids.includes(d.id)) };
		}
		default:
			return foldHold(v, e);
	}
}

function foldHold(v: View, e: Event): View {
	switch (e.type) {
		case "hold.began":
			return beginHold(v, e.data);
		case "hold.confirmed": {
			const { hold, member } = e.data;
			return changeHold(v, hold, (h) => ({ ...h, confirmed: include(h.confirmed, member) }));
		}
		case "hold.answered": {
			const { hold, answer } = e.data;
			return changeHold(v, hold, (h) => answered(h, answer));
		}
		case "hold.phase": {
			const { hold, phase, since } = e.data;
			return changeHold(v, hold, (h) => ({ ...h, phase, phaseSince: since }));
		}
		case "hold.revealed": {
			const { hold, answers } = e.data;
			return changeHold(v, hold, (h) => ({ ...h, revealed: true, answers: answers ?? [] }));
		}
		case "hold.ended":
			return v.hold?.id === e.data.hold ? { ...v, hold: null } : v;
		default:
			return v;
	}
}

function open(b: SessionOpened): View {
	return {
		session: b.session,
		clip: b.clip,
		members: [],
		playback: { mode: "stopped", position: b.clip?.from ?? 0, rate: 1, at: 0, seq: 0, ready: [], by: "" },
		controls: { holder: "" },
		pauses: [...(b.pauses ?? [])].sort(byFrame),
		hold: null,
		notes: (b.notes ?? []).map(withReplies).sort(byAt),
		drawings: [],
		recording: { state: "off", since: 0, by: "" },
		keeping: b.keeping,
		reuse: { state: "", clip: "", by: "", of: [], agreed: [] },
	};
}

/** Whoever comes or goes says anew that they are ready and on the frame. */
function arrive(v: View, m: Member): View {
	const put = putMember(v, m);
	const next = { ...put, playback: { ...put.playback, ready: exclude(put.playback.ready, m.id) } };
	if (!next.hold?.confirmed.includes(m.id)) return next;
	return { ...next, hold: { ...next.hold, confirmed: exclude(next.hold.confirmed, m.id) } };
}

/** Takes away what a member wrote who took back their consent, if they want that. */
function withdraw(v: View, member: string, notes: boolean): View {
	if (!notes) return v;
	const kept = v.notes
		.filter((n) => n.author !== member)
		.map((n) => ({ ...n, replies: n.replies.filter((r) => r.author !== member) }));
	const hold = v.hold && answered(v.hold, { member, text: "", at: 0 });
	return { ...v, notes: kept, drawings: v.drawings.filter((d) => d.author !== member), hold };
}

function putMember(v: View, m: Member): View {
	return { ...v, members: put(v.members, m, idOf, byJoined) };
}

/** Whether the clip stands on a frame, or does so from the line's time on. */
export function stands(p: Playback): boolean {
	return p.mode === "stopped" || p.mode === "holding";
}

/** What was drawn on a frame is there for as long as the clip stands on it. */
function setLine(v: View, p: Playback): View {
	const stay = v.drawings.length === 0 || (stands(p) && p.position === v.playback.position);
	return { ...v, playback: p.ready ? p : { ...p, ready: [] }, drawings: stay ? v.drawings : [] };
}

function withReplies(n: Note): Note {
	return n.replies ? n : { ...n, replies: [] };
}

function beginHold(v: View, b: HoldBegan): View {
	const hold = {
		...b.hold,
		confirmed: b.hold.confirmed ?? [],
		answered: b.hold.answered ?? [],
		answers: b.hold.answers ?? [],
	};
	const pauses = v.pauses.map((p) => (p.id === b.hold.pause ? { ...p, passed: true } : p));
	return setLine({ ...v, hold, pauses }, b.playback);
}

function changeHold(v: View, id: string, change: (h: Hold) => Hold): View {
	return v.hold?.id === id ? { ...v, hold: change(v.hold) } : v;
}

function changeNote(v: View, id: string, change: (n: Note) => Note): View {
	if (!v.notes.some((n) => n.id === id)) return v;
	return { ...v, notes: v.notes.map((n) => (n.id === id ? change(n) : n)) };
}

/** At 0 an answer is taken back; with an `at` and no text, somebody wrote what is not for us yet. */
function answered(h: Hold, a: Answer): Hold {
	const answers = drop(h.answers, a.member, memberOf);
	if (a.at === 0) return { ...h, answers, answered: exclude(h.answered, a.member) };
	return {
		...h,
		answered: include(h.answered, a.member),
		answers: a.text === "" ? answers : put(answers, a, memberOf, byMember),
	};
}

const idOf = (e: { id: string }) => e.id;
const memberOf = (a: Answer) => a.member;
const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
const byJoined: Order<Member> = (a, b) => a.joined - b.joined || compare(a.id, b.id);
const byFrame: Order<Pause> = (a, b) => a.frame - b.frame || compare(a.id, b.id);
const byAt: Order<Note | Reply> = (a, b) => a.at - b.at || compare(a.id, b.id);
const byMember: Order<Answer> = (a, b) => compare(a.member, b.member);

/** A list with the entity at its place in the order, instead of the one with the same id. */
function put<T>(list: T[], entity: T, id: (e: T) => string, order: Order<T>): T[] {
	const rest = list.filter((e) => id(e) !== id(entity));
	let lo = 0;
	let hi = rest.length;
	while (lo < hi) {
		const mid = (lo + hi) >> 1;
		if (order(rest[mid]!, entity) < 0) lo = mid + 1;
		else hi = mid;
	}
	rest.splice(lo, 0, entity);
	return rest;
}

function drop<T>(list: T[], gone: string, id: (e: T) => string): T[] {
	return list.some((e) => id(e) === gone) ? list.filter((e) => id(e) !== gone) : list;
}

function include(set: string[], id: string): string[] {
	return set.includes(id) ? set : [...set, id].sort(compare);
}

function exclude(set: string[], id: string): string[] {
	return set.includes(id) ? set.filter((e) => e !== id) : set;
}
