/**
 * A clip's beginning is fetched before the call is there to play it: coming in takes some round trips, and so does a clip. The element
 * of the call has the same address, and finds in the browser what has come.
 */
import type { Rendition } from "./rendition.ts";

interface Connection {
	saveData?: boolean;
	effectiveType?: string;
	downlink?: number;
}

/** What to begin with: 360p where the connection is said to be slow or asked to be spared, else 720p. */
export function renditionFor(
	q: Rendition | "auto",
	net = (navigator as { connection?: Connection }).connection,
): Rendition {
	if (q !== "auto") return q;
	if (net?.saveData || /2g|3g/.test(net?.effectiveType ?? "") || (net?.downlink ?? 10) < 2) return "360p";
	return "720p";
}

export function addressOf(clip: string, rendition: Rendition): string {
	return `/api/clips/${encodeURIComponent(clip)}/media/${rendition}.mp4`;
}

let early: HTMLVideoElement | null = null;

/** Somebody is about to come in. */
export function loadEarly(clip: string): void {
	letGoEarly();
	early = document.createElement("video");
	early.muted = true;
	early.preload = "metadata";
	early.src = addressOf(clip, renditionFor("auto"));
}

/** The call has the clip's beginning itself. */
export function letGoEarly(): void {
	early?.removeAttribute("src");
	early?.load();
	early = null;
}
