import { signal } from "@preact/signals";
import { cameraSize } from "../call/devices.ts";
import { type Cause, type Choices, causeOf, loadChoices, saveChoices } from "./devices.ts";

type Which = "mic" | "camera";

const constraints = {
	mic: (id: string): MediaStreamConstraints => ({
		audio: {
			deviceId: id ? { exact: id } : undefined,
			echoCancellation: true,
			noiseSuppression: true,
			autoGainControl: true,
		},
	}),
	camera: (id: string): MediaStreamConstraints => ({
		video: {
			deviceId: id ? { exact: id } : undefined,
			...cameraSize(false), // it goes on into the call
			frameRate: { ideal: 24, max: 30 },
		},
	}),
};

/** One's own camera and microphone before the call. Whoever makes one calls close, or hands its stream on with give. */
export class Preview {
	readonly track = { mic: signal<MediaStreamTrack | null>(null), camera: signal<MediaStreamTrack | null>(null) };
	readonly problem = { mic: signal<Cause | null>(null), camera: signal<Cause | null>(null) };
	/** True while the browser asks the person. */
	readonly asking = signal(false);
	readonly choices = signal<Choices>(loadChoices());
	readonly found = signal<MediaDeviceInfo[]>([]);
	private closed = false;
	// Answers to older questions are thrown away: a person may press faster than a camera starts.
	private round = { mic: 0, camera: 0 };
	private readonly onChange = () => void this.look();

	async open(): Promise<void> {
		navigator.mediaDevices?.addEventListener("devicechange", this.onChange);
		const { micOn, cameraOn } = this.choices.value;
		this.asking.value = true;
		// One question for both is friendlier than two; if it fails, each is asked for to learn which one it was.
		const both = micOn && cameraOn && (await this.tryBoth());
		if (!both) {
			// A closed microphone is asked for too: opening it later must not begin with a question of the browser.
			await this.start("mic");
			if (cameraOn) await this.start("camera");
		}
		this.asking.value = false;
		await this.look();
	}

	private async tryBoth(): Promise<boolean> {
		const { mic, camera } = this.choices.value;
		const rounds = { mic: ++this.round.mic, camera: ++this.round.camera };
		try {
			const stream = await media({ ...constraints.mic(mic), ...constraints.camera(camera) });
			for (const track of stream.getTracks()) {
				const which = track.kind === "audio" ? "mic" : "camera";
				this.take(which, rounds[which], track);
			}
			return true;
		} catch {
			return false;
		}
	}

	/** Starts one device; a chosen one that is gone is replaced by the browser's default. */
	async start(which: Which): Promise<void> {
		const round = ++this.round[which];
		const id = this.choices.value[which];
		try {
			const stream = await media(constraints[which](id)).catch((e) => {
				if (id && (e as Error).name === "OverconstrainedError") return media(constraints[which](""));
				throw e;
			});
			this.take(which, round, stream.getTracks()[0] ?? null);
		} catch (e) {
			if (round !== this.round[which] || this.closed) return;
			this.drop(which);
			this.problem[which].value = causeOf(e, window.isSecureContext && !!navigator.mediaDevices);
		}
	}

	private take(which: Which, round: number, track: MediaStreamTrack | null): void {
		if (this.closed || round !== this.round[which]) {
			track?.stop();
			return;
		}
		this.drop(which);
		this.problem[which].value = null;
		if (which === "mic" && track) track.enabled = this.choices.value.micOn;
		track?.addEventListener("ended", () => {
			if (this.track[which].value !== track) return;
			this.track[which].value = null;
			this.problem[which].value = "missing";
		});
		this.track[which].value = track;
	}

	private drop(which: Which): void {
		this.track[which].value?.stop();
		this.track[which].value = null;
	}

	private async look(): Promise<void> {
		try {
			const all = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
			if (!this.closed) this.found.value = all;
		} catch {
			// the lists stay empty; the default devices work all the same
		}
	}

	private choose(change: Partial<Choices>): void {
		this.choices.value = { ...this.choices.value, ...change };
		saveChoices(this.choices.value);
	}

	async pick(which: Which | "speaker", id: string): Promise<void> {
		this.choose({ [which]: id });
		if (which === "speaker") return;
		if (which === "mic" || this.choices.value.cameraOn) await this.start(which);
	}

	/** The microphone goes silent and stays ready; the camera is let go, so that its light goes out. */
	async turn(which: Which, on: boolean): Promise<void> {
		this.choose(which === "mic" ? { micOn: on } : { cameraOn: on });
		const track = this.track[which].value;
		if (which === "mic" && track) {
			track.enabled = on;
			return;
		}
		if (on) await this.start(which);
		else {
			this.round[which]++;
			this.drop(which);
			this.problem[which].value = null;
		}
	}

	async again(): Promise<void> {
		const { cameraOn } = this.choices.value;
		if (this.problem.mic.value) await this.start("mic");
		if (this.problem.camera.value && cameraOn) await this.start("camera");
		await this.look();
	}

	/** The tracks, for the call; from now on they are its own. */
	give(): MediaStream | undefined {
		const tracks = [this.track.mic.value, this.track.camera.value].filter((t) => t !== null);
		this.track.mic.value = null;
		this.track.camera.value = null;
		this.close();
		return tracks.length > 0 ? new MediaStream(tracks) : undefined;
	}

	close(): void {
		this.closed = true;
		navigator.mediaDevices?.removeEventListener("devicechange", this.onChange);
		this.drop("mic");
		this.drop("camera");
	}
}

async function media(c: MediaStreamConstraints): Promise<MediaStream> {
	if (!navigator.mediaDevices?.getUserMedia) throw new DOMException("no devices on this address", "SecurityError");
	return navigator.mediaDevices.getUserMedia(c);
}

/** A list for a choice; names are known only once a device was allowed. `now` is what the browser took by itself. */
export function optionsOf(found: MediaDeviceInfo[], kind: MediaDeviceKind, word: string, chosen: string, now = "") {
	const all = found.filter((d) => d.kind === kind);
	const devices = all.filter((d) => d.deviceId !== "" && d.deviceId !== "default" && d.deviceId !== "communications");
	const options = devices.map((d, i) => ({ value: d.deviceId, label: plainName(d.label) || `${word} ${i + 1}` }));
	const known = options.some((o) => o.value === chosen);
	const none = found.length > 0 && all.length === 0;
	const usual = none ? "None found" : now && !known ? plainName(now) : "Usual one";
	return { options: [{ value: "", label: usual }, ...options], value: known ? chosen : "", disabled: none };
}

/** Without the numbers that Chromium adds: "Webcam (046d:0825)". */
function plainName(label: string): string {
	return label.replace(/ \([0-9a-f]{4}:[0-9a-f]{4}\)$/, "");
}
