import type { Kind, NoteKind, Role } from "./api.ts";

/** The words of the screen for the words of the wire. */

export const roleWord: Record<Role, string> = {
	focal: "Focal teacher",
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
