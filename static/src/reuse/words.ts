/** What is said of a clip that a recording may become. Pure. */
import type { Reuse } from "../api.ts";
import { names } from "../ui/time.ts";

/** How it stands, for who may ask; empty where nothing was asked. */
export function standing(r: Reuse): string {
	switch (r.state) {
		case "none":
			return "";
		case "asked":
			return r.mine ? waitingSentence(r.waiting) : `${r.by} has asked for a clip of this conversation.`;
		case "declined":
			return "Not everybody agrees, so no clip is made. Nobody has to say why. You can ask again later.";
		case "taken-back":
			return "Somebody took back their consent to being recorded, so there is no clip. You can ask for one without them.";
		case "granted":
			return `This conversation is a clip of ${r.by}’s. Everybody who is in it has agreed.`;
		case "filming":
			return `Everybody has agreed. ${goesOn("The video is being made", r.progress)}`;
		case "preparing":
			return `Everybody has agreed. ${goesOn("The video is being prepared as a clip", r.progress)}`;
		case "ready":
			return "The clip is among yours. Only you can see it until you plan a session about it.";
		case "failed":
			return r.problem;
	}
}

function waitingSentence(waiting: string[]): string {
	return `You have asked. Nothing is made before all agree. ${names(waiting, 12)} ${waiting.length === 1 ? "has" : "have"} not answered yet. They find the question with the replay of this session.`;
}

function goesOn(what: string, progress: number): string {
	const part = progress > 0 ? `: ${Math.round(progress * 100)} %` : "";
	return `${what}${part}. You can close this, and the page: it goes on by itself.`;
}

/** Something still happens by itself. */
export function underWay(r: Reuse | undefined): boolean {
	return r?.state === "filming" || r?.state === "preparing" || (r?.state === "asked" && r.mine);
}
