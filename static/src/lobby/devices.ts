/** Cameras and microphones: what may go wrong with them, said in words. */

export type DeviceKind = "microphone" | "camera";

export type Cause =
	| "denied" // the person, or a rule of the browser, said no
	| "denied-system" // the operating system said no
	| "missing"
	| "busy" // another program has it
	| "insecure" // the page's address is not one that browsers trust
	| "unknown";

/** The cause of what getUserMedia threw (Media Capture and Streams, 10.2.1). */
export function causeOf(thrown: unknown, secure: boolean): Cause {
	if (!secure) return "insecure";
	const e = thrown as { name?: string; message?: string } | null;
	switch (e?.name) {
		case "NotAllowedError":
		case "PermissionDeniedError":
			return /system/i.test(e.message ?? "") ? "denied-system" : "denied";
		case "NotFoundError":
		case "DevicesNotFoundError":
		case "OverconstrainedError":
			return "missing";
		case "NotReadableError":
		case "TrackStartError":
		case "AbortError":
			return "busy";
		case "SecurityError":
			return "insecure";
		default:
			return "unknown";
	}
}

/** What happened and what to do, for one device. The call is open without it in every case. */
export function sentenceFor(kind: DeviceKind, cause: Cause): string {
	const without =
		kind === "camera" ? "You can join without it." : "You can join without it, hear the others, and write.";
	switch (cause) {
		case "denied":
			return `Your browser keeps your ${kind} closed for this page. Allow it at the sign beside the address, then try again. ${without}`;
		case "denied-system":
			return `Your computer keeps the ${kind} closed for this browser. Allow it in the computer’s privacy settings, then try again. ${without}`;
		case "missing":
			return `We find no ${kind}. Plug one in, then try again. ${without}`;
		case "busy":
			return `Your ${kind} is used by another program. Close that program, then try again. ${without}`;
		case "insecure":
			return `Your browser opens the ${kind} only on an address that begins with https://, or on localhost. Ask whoever runs this server for such an address. ${without}`;
		default:
			return `Your ${kind} does not start. Unplug it and plug it in again, or choose another, then try again. ${without}`;
	}
}

const bothSentences: Record<Exclude<Cause, "busy" | "unknown">, string> = {
	denied:
		"Your browser keeps your camera and microphone closed for this page. Allow them at the sign beside the address, then try again. You can join without them: you see, hear and write.",
	"denied-system":
		"Your computer keeps camera and microphone closed for this browser. Allow them in the computer’s privacy settings, then try again. You can join without them: you see, hear and write.",
	missing:
		"We find no camera and no microphone. Plug them in, then try again. You can join without them: you see, hear and write.",
	insecure:
		"Your browser opens camera and microphone only on an address that begins with https://, or on localhost. Ask whoever runs this server for such an address. You can join without them: you see, hear and write.",
};

/** Both devices at once, where the cause is the same. */
export function sentencesFor(mic: Cause | null, camera: Cause | null): string[] {
	const out = [];
	if (mic && mic === camera && mic !== "busy" && mic !== "unknown") return [bothSentences[mic]];
	if (mic) out.push(sentenceFor("microphone", mic));
	if (camera) out.push(sentenceFor("camera", camera));
	return out;
}

export interface Choices {
	mic: string;
	camera: string;
	speaker: string;
	micOn: boolean;
	cameraOn: boolean;
}

const KEY = "pausepoint.devices";
const usual: Choices = { mic: "", camera: "", speaker: "", micOn: true, cameraOn: true };

/** What was chosen the last time, on this computer. */
export function loadChoices(): Choices {
	try {
		const kept = JSON.parse(localStorage.getItem(KEY) ?? "{}") as Partial<Choices>;
		const out = { ...usual };
		for (const key of ["mic", "camera", "speaker"] as const) if (typeof kept[key] === "string") out[key] = kept[key];
		for (const key of ["micOn", "cameraOn"] as const) if (typeof kept[key] === "boolean") out[key] = kept[key];
		return out;
	} catch {
		return { ...usual };
	}
}

export function saveChoices(c: Choices): void {
	try {
		localStorage.setItem(KEY, JSON.stringify(c));
	} catch {
		// it is asked again next time
	}
}
