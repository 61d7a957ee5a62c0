import type { Kind, NoteKind, Role } from "./api.ts";

/** The words of the screen for the words of the wire. */

export const roleWord: Record<Role, string> = {
	focal: "Teacher",
	coach: "Coach",
	facilitator: "Facilitator",
	peer: "Peer",
	observer: "Observer",
};

export const roleSentence: Record<Role, string> = {
	focal: "It is your lesson.",
	coach: "You join as a coach.",
	facilitator: "You join as the facilitator.",
	peer: "You join as a peer.",
	observer: "You join as an observer: you see and hear the others, nobody hears you.",
};

export const kindWord: Record<Kind, string> = {
	kickoff: "First call",
	conversation: "Coaching conversation",
	inquiry: "Group inquiry",
	"live-lesson": "Live lesson",
	reflection: "Reflection, alone",
};

export const noteWord: Record<NoteKind, string> = {
	observation: "Observation",
	wondering: "Wondering",
	learning: "Learning",
	question: "Question",
	appreciation: "Appreciation",
	next: "Next step",
};

/** What somebody is called among these people: by the first word of the name where nobody else is. */
export function shortName(m: { name: string }, among: { name: string }[]): string {
	const first = (name: string) => name.trim().split(/\s+/)[0] ?? "";
	const own = first(m.name);
	return own && among.filter((o) => first(o.name) === own).length <= 1 ? own : m.name;
}
