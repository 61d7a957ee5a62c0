/** A live lesson on the teacher's phone: one state, one word, readable across a classroom. */
import { useSignal } from "@preact/signals";
import { Mic, MicOff } from "lucide";
import { useEffect } from "preact/hooks";
import { Button } from "../ui/Button.tsx";
import { Icon } from "../ui/Icon.tsx";
import { fmtMs, names } from "../ui/time.ts";
import { useCall } from "./context.ts";
import { Picture, Voices } from "./Faces.tsx";
import { recordingLine } from "./say.ts";
import { useTick } from "./time.ts";

export function LessonCamera({ onEnd }: { onEnd: () => void }) {
	const call = useCall();
	const since = useSignal(call.now());
	const v = call.view.value;
	const covered = call.camera.value === null;
	const lost = call.state.value !== "open" || !call.mediaOk.value;
	const state = covered ? "covered" : lost ? "held" : "live";
	useWakeLock();
	useEffect(() => {
		since.value = call.now();
	}, [state]);
	if (!v) return null;
	const watching = v.members.filter((m) => m.presence === "here" && m.id !== call.you.value).map((m) => m.name);
	const recording = recordingLine(v.recording, v.session.opened, v.members);
	const cover = async (on: boolean) => {
		await call.setCamera(!on);
		await call.setMic(!on);
	};
	return (
		<div class="lesson" data-state={state}>
			<header class="lesson__top">
				<strong>{v.session.title}</strong>
				<span class="num">{recording.short}</span>
			</header>
			<main class="lesson__big" id="main" aria-live="polite">
				{state === "live" && (
					<span class="lesson__pulse" data-recording={recording.on || undefined} aria-hidden="true" />
				)}
				<h1>{{ live: "Live", held: "Waiting", covered: "Off" }[state]}</h1>
				{!covered && <Since at={since.value} />}
				<p class="lesson__why">
					{state === "live" &&
						(watching.length === 0
							? "Nobody is watching yet"
							: `${names(watching)} ${watching.length === 1 ? "is" : "are"} watching`)}
					{state === "held" && "No network. You are back as soon as it is there."}
					{state === "covered" && "No picture, no sound. Nobody sees or hears you."}
				</p>
				{!covered && (
					<div class="lesson__view">
						<Picture source={call.camera.value} name={call.me.value?.name ?? ""} label="What the camera sees" />
					</div>
				)}
			</main>
			<footer>
				<ul class="lesson__who">
					<li>
						<Icon icon={call.micOn.value ? Mic : MicOff} />
						<span>{call.micOn.value ? "The microphone hears the room" : "The microphone is off"}</span>
					</li>
				</ul>
				<div class="lesson__acts">
					<Button class="btn--cover" onClick={() => cover(!covered)}>
						{covered ? "Go live again" : "Cover the camera"}
					</Button>
					<Button onClick={onEnd}>End the lesson</Button>
				</div>
			</footer>
			<Voices />
		</div>
	);
}

function Since({ at }: { at: number }) {
	const call = useCall();
	void useTick(1000).value;
	return (
		<p class="lesson__clock num">
			<span class="vh">for </span>
			{fmtMs(Math.max(0, call.now() - at))}
		</p>
	);
}

/** The screen stays on while the lesson is shown. */
function useWakeLock(): void {
	useEffect(() => {
		let lock: WakeLockSentinel | undefined;
		const get = async () => {
			if (document.hidden) return;
			lock = await navigator.wakeLock?.request("screen").catch(() => undefined);
		};
		void get();
		document.addEventListener("visibilitychange", get);
		return () => {
			document.removeEventListener("visibilitychange", get);
			void lock?.release();
		};
	}, []);
}
