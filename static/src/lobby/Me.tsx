import { Mic, MicOff, Video, VideoOff } from "lucide";
import { useEffect, useRef, useState } from "preact/hooks";
import { Avatar } from "../ui/Avatar.tsx";
import { Button, IconButton } from "../ui/Button.tsx";
import { Select } from "../ui/Field.tsx";
import { Notice } from "../ui/Notice.tsx";
import { sentencesFor } from "./devices.ts";
import { Level } from "./Level.tsx";
import { optionsOf, type Preview } from "./preview.ts";

interface MeProps {
	preview: Preview;
	who: { name: string } | null;
}

/** One's own picture, the microphone's level, and the devices. */
export function Me({ preview, who }: MeProps) {
	const video = useRef<HTMLVideoElement>(null);
	const [woken, setWoken] = useState(0);
	const camera = preview.track.camera.value;
	const mic = preview.track.mic.value;
	const { micOn, cameraOn } = preview.choices.value;
	const problems = sentencesFor(preview.problem.mic.value, cameraOn ? preview.problem.camera.value : null);
	useEffect(() => {
		if (video.current) video.current.srcObject = camera ? new MediaStream([camera]) : null;
	}, [camera]);
	useEffect(() => {
		const wake = () => setWoken((n) => n + 1);
		document.addEventListener("pointerdown", wake, { once: true });
		document.addEventListener("keydown", wake, { once: true });
		return () => {
			document.removeEventListener("pointerdown", wake);
			document.removeEventListener("keydown", wake);
		};
	}, []);
	return (
		<section class="me" aria-labelledby="me-h">
			<h2 class="vh" id="me-h">
				Your picture and sound
			</h2>
			<div class={camera ? "picture" : "picture picture--none"}>
				<video ref={video} autoplay muted playsInline hidden={!camera} aria-label="Your picture" />
				{!camera && <NoPicture preview={preview} who={who} />}
				<Level track={mic} on={micOn} woken={woken} />
				<div class="me__switch">
					<Switch preview={preview} which="mic" />
					<Switch preview={preview} which="camera" />
				</div>
			</div>
			{problems.length > 0 && window.isSecureContext && (
				<Notice
					live
					action={
						<Button variant="outline" size="small" onClick={() => preview.again()}>
							Try again
						</Button>
					}
				>
					{problems.map((sentence) => (
						<p key={sentence}>{sentence}</p>
					))}
				</Notice>
			)}
			<Devices preview={preview} />
		</section>
	);
}

const switches = {
	mic: { word: "Microphone", on: Mic, off: MicOff },
	camera: { word: "Camera", on: Video, off: VideoOff },
};

/** Turns a device off and on; one that does not work is tried again. */
function Switch({ preview, which }: { preview: Preview; which: "mic" | "camera" }) {
	const { word, on, off } = switches[which];
	const wanted = which === "mic" ? preview.choices.value.micOn : preview.choices.value.cameraOn;
	const broken = wanted && preview.problem[which].value !== null;
	const works = wanted && !broken;
	const label = broken
		? `${word} does not work. Try again`
		: wanted
			? `${word} is on. Turn it off`
			: `${word} is off. Turn it on`;
	const press = () => (broken ? preview.start(which) : preview.turn(which, !wanted));
	return <IconButton icon={works ? on : off} off={!works} label={label} onClick={() => void press()} />;
}

function NoPicture({ preview, who }: MeProps) {
	const { cameraOn } = preview.choices.value;
	const text = preview.asking.value
		? "Your browser asks whether this page may use your camera and microphone. Choose Allow."
		: cameraOn
			? preview.problem.camera.value
				? "You join without a picture"
				: "Your camera is starting"
			: "Your camera is off";
	return (
		<div class="me__none">
			{who && <Avatar name={who.name} size={40} />}
			<p>{text}</p>
		</div>
	);
}

const canChooseSpeaker = "setSinkId" in HTMLMediaElement.prototype;

function Devices({ preview }: { preview: Preview }) {
	const { mic, camera, speaker } = preview.choices.value;
	const found = preview.found.value;
	return (
		<div class="devices">
			<Select
				label="Camera"
				{...optionsOf(found, "videoinput", "Camera", camera, preview.track.camera.value?.label)}
				onChange={(id) => preview.pick("camera", id)}
			/>
			<Select
				label="Microphone"
				{...optionsOf(found, "audioinput", "Microphone", mic, preview.track.mic.value?.label)}
				onChange={(id) => preview.pick("mic", id)}
			/>
			{canChooseSpeaker && (
				<Select
					label="Speaker"
					{...optionsOf(found, "audiooutput", "Speaker", speaker)}
					onChange={(id) => preview.pick("speaker", id)}
				/>
			)}
		</div>
	);
}

/** Observers are neither seen nor heard: they choose where the sound goes. */
export function SpeakerOnly({ preview }: { preview: Preview }) {
	const found = preview.found.value;
	if (!canChooseSpeaker || !found.some((d) => d.kind === "audiooutput" && d.label)) return null;
	return (
		<div class="devices">
			<Select
				label="Speaker"
				{...optionsOf(found, "audiooutput", "Speaker", preview.choices.value.speaker)}
				onChange={(id) => preview.pick("speaker", id)}
			/>
		</div>
	);
}
