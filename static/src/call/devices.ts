/** Microphones, cameras and speakers: getting them, and saying in a sentence why one cannot be had. */

export type Input = "mic" | "camera" | "screen";

export interface DeviceChoice {
	mic: string;
	camera: string;
	speaker: string;
}

/** A sentence that says what is the matter with a device and what to do. */
export function deviceSentence(input: Input, e: unknown, secure = globalThis.isSecureContext !== false): string {
	const name = (e as Error)?.name;
	if (input === "screen") {
		if (name === "NotAllowedError") return "Your screen is not shared. To share it, choose a window and confirm.";
		return "Your browser could not share the screen. Try another window.";
	}
	const thing = input === "mic" ? "microphone" : "camera";
	if (!secure)
		return `Your browser opens the ${thing} only on an address that begins with https://. Ask whoever runs this server for one.`;
	switch (name) {
		case "NotAllowedError":
		case "SecurityError":
			return `Your browser does not let this page use the ${thing}. Allow it beside the address, then turn it on again.`;
		case "NotFoundError":
		case "OverconstrainedError":
			return `No ${thing} is there. You can go on without it, or plug one in.`;
		case "NotReadableError":
		case "AbortError":
			return `Your ${thing} is used by another program. Close that program, or go on without it.`;
		default:
			return `Your ${thing} did not start. You can go on without it.`;
	}
}

function idOf(id: string): { deviceId?: ConstrainDOMString } {
	return id ? { deviceId: { exact: id } } : {};
}

/** A face has room for 540 lines at most; a lesson is the stage. Below 540, browsers send fewer than three layers. */
export function cameraSize(lesson: boolean): MediaTrackConstraints {
	return lesson
		? { width: { ideal: 1280 }, height: { ideal: 720 } }
		: { width: { ideal: 960 }, height: { ideal: 540 } };
}

/** Gets a track of a device; where the chosen one is gone, of any. */
export async function getTrack(input: "mic" | "camera", id: string, lesson = false): Promise<MediaStreamTrack> {
	const ask = async (deviceId: string) => {
		const audio = { ...idOf(deviceId), echoCancellation: true, noiseSuppression: true, autoGainControl: true };
		const video = { ...idOf(deviceId), ...cameraSize(lesson), frameRate: { ideal: 24, max: 30 } };
		const media = navigator.mediaDevices;
		if (!media) throw new DOMException("no devices without a secure connection", "NotFoundError");
		const s = await media.getUserMedia(input === "mic" ? { audio } : { video });
		return s.getTracks()[0]!;
	};
	try {
		return await ask(id);
	} catch (e) {
		const name = (e as Error)?.name;
		if (id && (name === "OverconstrainedError" || name === "NotFoundError")) return ask("");
		throw e;
	}
}

/** The screen, and then its sound where the browser offers it. */
export async function getScreen(): Promise<MediaStreamTrack[]> {
	const s = await navigator.mediaDevices.getDisplayMedia({ video: { frameRate: { ideal: 15, max: 30 } }, audio: true });
	for (const video of s.getVideoTracks()) video.contentHint = "detail";
	return [...s.getVideoTracks(), ...s.getAudioTracks()];
}

export interface DeviceList {
	mic: { id: string; label: string }[];
	camera: { id: string; label: string }[];
	speaker: { id: string; label: string }[];
}

/** What is plugged in. Labels are there once one device was allowed. */
export async function listDevices(): Promise<DeviceList> {
	const all = (await navigator.mediaDevices?.enumerateDevices().catch(() => [])) ?? [];
	const of = (kind: MediaDeviceKind, word: string) =>
		all
			.filter((d) => d.kind === kind && d.deviceId !== "default" && d.deviceId !== "communications")
			.map((d, i) => ({ id: d.deviceId, label: d.label || `${word} ${i + 1}` }));
	return {
		mic: of("audioinput", "Microphone"),
		camera: of("videoinput", "Camera"),
		speaker: of("audiooutput", "Speaker"),
	};
}
