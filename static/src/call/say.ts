/** The call's sentences: what is told to the ear, and what the ends of a call mean. Pure. */
import type { Event, Hold, Member, Recording, View } from "../event.gen.ts";
import { fmtClip, fmtClock, names } from "../ui/time.ts";
import { roleWord, shortName } from "../words.ts";

/** What a screen reader is told about an event; null for what need not be said. */
export function spoken(e: Event, before: View, you: string): string | null {
	switch (e.type) {
		case "member.joined": {
			const m = e.data.member;
			if (m.id === you) return null;
			const back = before.members.find((o) => o.id === m.id)?.presence === "away";
			return back ? `${m.name} is back.` : `${m.name} joined, ${roleWord[m.role]}.`;
		}
		case "member.lost":
			return e.data.member.id === you ? null : `${e.data.member.name} lost the connection.`;
		case "member.left":
			return e.data.member.id === you ? null : `${e.data.member.name} left.`;
		case "member.removed":
			return e.data.member.id === you ? null : `${e.data.member.name} was removed.`;
		case "hold.began":
			return `Pause at ${fmtClip(e.data.hold.position, true)}. ${e.data.hold.prompt}`.trim();
		case "hold.revealed":
			return "The answers are shown.";
		case "hold.ended":
			return "The pause is over. The clip goes on.";
		case "controls.changed":
			return controlsSentence(before, e.data.controls.holder, you);
		case "pause.set": {
			const p = e.data.pause;
			const was = before.pauses.find((o) => o.id === p.id);
			return was?.proposed && !p.proposed ? "A proposed pause is accepted." : null;
		}
		case "drawing.added":
		case "drawing.removed":
			return drawingSentence(e, before, you);
		case "recording.changed":
			return recordingSentence(before, e.data.recording);
		case "member.withdrew":
			return e.data.member.id === you ? "What was recorded of you is being removed." : null;
		case "member.changed": {
			const m = e.data.member;
			const was = before.members.find((o) => o.id === m.id);
			return m.id !== you && m.hand && !was?.hand ? `${m.name} would like to speak.` : null;
		}
		default:
			return null;
	}
}

/** Who got the controls, or that they went back. */
function controlsSentence(before: View, holder: string, you: string): string | null {
	if (holder === before.controls.holder) return null;
	if (holder === you) return "You have the controls: you play, stop and move the clip for everyone.";
	if (before.controls.holder === you) return "You gave the controls back, or they were taken back.";
	const name = (id: string) => before.members.find((m) => m.id === id)?.name ?? "Somebody";
	return holder ? `${name(holder)} has the controls.` : `${name(before.controls.holder)} has the controls no more.`;
}

/** That somebody has begun to draw on the frame, or has cleared what was one's own. */
function drawingSentence(e: Event, before: View, you: string): string | null {
	if (e.by === you) return null;
	if (e.type === "drawing.removed") {
		const mine = before.drawings.some((d) => d.author === you && e.data.ids.includes(d.id));
		return mine ? "What you drew has been cleared." : null;
	}
	if (before.drawings.some((d) => d.author === e.by)) return null;
	return `${before.members.find((m) => m.id === e.by)?.name ?? "Somebody"} has drawn on the frame.`;
}

/** Who plays and stops the clip: "You, Leila and Tomasz play and stop the clip." */
export function driversSentence(members: Member[], holder: string, you: string): string {
	const leads = members.filter((m) => m.role === "focal" || m.role === "coach" || m.role === "facilitator");
	const all = [...leads, ...members.filter((m) => m.id === holder && m.role === "peer")].filter(
		(m) => m.presence !== "left",
	);
	const mine = all.some((m) => m.id === you);
	const list = all.filter((m) => m.id !== you).map((m) => shortName(m, members));
	if (mine) list.unshift("You");
	if (list.length === 0) return "Nobody who plays the clip is here yet.";
	return `${names(list)} ${list.length === 1 && !mine ? "plays and stops" : "play and stop"} the clip.`;
}

function recordingSentence(v: View, r: Recording): string | null {
	const before = v.recording;
	if (before.state === r.state) {
		if (r.reason === before.reason) return null;
		return r.reason || (r.state === "on" ? "The recording is complete again from now on." : null);
	}
	if (r.state === "on") return `The conversation is being recorded from now on. ${consentLine(v.members)}`;
	if (r.state === "asking") return "Everyone is asked whether they agree to being recorded.";
	if (r.state === "off-the-record") return `Off the record from now on. ${r.reason ?? ""}`.trim();
	return `The conversation is not recorded. ${r.reason ?? ""}`.trim();
}

/** Who is here or comes back, and has not said whether they agree. */
function unanswered(members: Member[]): Member[] {
	return members.filter((m) => m.presence !== "left" && m.consent !== "agreed");
}

/** Who is in the recording: everyone, or everyone but those who have not answered. */
function consentLine(members: Member[]): string {
	const open = unanswered(members).map((m) => shortName(m, members));
	if (open.length === 0) return "Everyone agreed.";
	return `${names(open)} ${open.length === 1 ? "has" : "have"} not answered and ${open.length === 1 ? "is" : "are"} not recorded.`;
}

/** The recording's state in the top bar, long and short. */
export function recordingLine(
	r: Recording,
	opened: number,
	members: Member[],
): { long: string; short: string; on: boolean } {
	const since = fmtClock(opened + r.since);
	if (r.state === "on") {
		const open = unanswered(members).length;
		const who = open === 0 ? "everyone agreed" : consentLine(members).replace(/\.$/, "");
		return {
			on: true,
			long: `Recording since ${since} · ${r.reason || who}`,
			short: `Recording since ${since} · ${open === 0 ? "all agreed" : `without ${open}`}`,
		};
	}
	if (r.state === "off-the-record") {
		return {
			on: false,
			long: [`Off the record since ${since}`, r.reason].filter(Boolean).join(" · "),
			short: `Off the record since ${since}`,
		};
	}
	if (r.state === "asking") {
		const all = members.filter((m) => m.presence !== "left").length;
		const agreed = `${all - unanswered(members).length} of ${all} agreed`;
		return { on: false, long: `Not recorded yet · ${agreed}`, short: `Not recorded yet · ${agreed}` };
	}
	return { on: false, long: ["Not recorded", r.reason].filter(Boolean).join(" · "), short: "Not recorded" };
}

/** What somebody is asked who has not said whether they agree to being recorded; null where nothing is to be asked. */
export function recordingQuestion(r: Recording, members: Member[], you: string): string | null {
	if (members.find((m) => m.id === you)?.consent !== "") return null;
	if (r.state === "on")
		return "This conversation is being recorded. You are seen and heard, but not recorded unless you agree.";
	if (r.state !== "asking") return null;
	const asker = members.find((m) => m.id === r.by);
	return `${asker ? shortName(asker, members) : "Somebody"} would like to record this conversation. That begins once everyone agrees.`;
}

/** Who is not on the frame yet; people who are away are not waited for. */
export function missing(h: Hold, members: Member[]): Member[] {
	return members.filter((m) => m.presence === "here" && !h.confirmed.includes(m.id));
}

export function onFrame(h: Hold, members: Member[]): string {
	const here = members.filter((m) => m.presence === "here");
	const late = missing(h, members);
	const are = (list: Member[], what: string) =>
		list.length > 0
			? `, ${names(list.map((m) => shortName(m, members)))} ${list.length === 1 ? "is" : "are"} ${what}`
			: "";
	const alone = late.filter((m) => m.watching === "own");
	const behind = late.filter((m) => m.watching !== "own");
	const sum = `${here.length - late.length} of ${here.length} on this frame`;
	return `${sum}${are(behind, "catching up")}${are(alone, "looking around")}`;
}

/** Who wants to speak, in the order in which the hands went up. */
export function hands(members: Member[]): Member[] {
	return members.filter((m) => m.hand && m.presence === "here").sort((a, b) => (a.hand ?? 0) - (b.hand ?? 0));
}

/** Whoever may end a pause, for those who may not: "Leila continues". */
export function whoContinues(members: Member[]): string {
	const here = members.filter((m) => m.presence === "here");
	const lead = here.filter((m) => m.role === "facilitator");
	const may = lead.length > 0 ? lead : here.filter((m) => m.role === "focal" || m.role === "coach");
	if (may.length === 0) return "Whoever leads continues";
	return `${names(may.map((m) => shortName(m, members))).replace(/ and (?=[^,]*$)/, " or ")} continues`;
}

/** Why it is over, and what can be done. */
export function byeText(reason: string): { title: string; text: string; back: boolean } {
	switch (reason) {
		case "replaced":
			return {
				title: "You opened this call in another tab",
				text: "It goes on there. You can bring it back here.",
				back: true,
			};
		case "removed":
			return {
				title: "You were removed from this call",
				text: "If you think this is a mistake, ask whoever invited you.",
				back: false,
			};
		case "signed_out":
			return {
				title: "You have signed out",
				text: "You have left this call, too. Sign in again to come back.",
				back: false,
			};
		case "ended":
			return {
				title: "This session has ended",
				text: "What was recorded and noted is kept with the session.",
				back: false,
			};
		case "full":
			return {
				title: "This session is full",
				text: "It has as many members as it can have. Ask whoever invited you.",
				back: false,
			};
		default:
			return { title: "The connection was closed", text: "Load the page again to come back.", back: true };
	}
}

/** 43210 ms → "0:43"; never below zero, and full seconds are said while they last. */
export function countdown(ms: number): string {
	return fmtClip(Math.ceil(Math.max(0, ms) / 1000) * 1e6);
}

/** Where one is after the door: "You are in the call, with Amara and Tomasz." */
export function arrived(members: Member[], you: string): string {
	const others = members.filter((m) => m.id !== you && m.presence === "here").map((m) => shortName(m, members));
	return others.length > 0
		? `You are in the call, with ${names(others)}.`
		: "You are in the call. Nobody else is here yet.";
}

/** How many people, and whether anybody watches unheard: silence does not reassure. */
export function presenceLine(members: Member[]): { here: string; observers: string } {
	const here = members.filter((m) => m.presence === "here");
	const observers = here.filter((m) => m.role === "observer").length;
	const word = observers === 0 ? "no observers" : observers === 1 ? "1 observer" : `${observers} observers`;
	return { here: `${here.length} here`, observers: word };
}
