import { signal, useSignal } from "@preact/signals";
import { Minimize2, Telescope } from "lucide";
import { useEffect, useRef } from "preact/hooks";
import { addressOf, letGoEarly, renditionFor } from "../sync/early.ts";
import { Looker, type Rendition, Renditions } from "../sync/rendition.ts";
import { Button, IconButton } from "../ui/Button.tsx";
import { fmtClip } from "../ui/time.ts";
import { shortName } from "../words.ts";
import { useCall } from "./context.ts";
import { Picture, toSpeaker } from "./Faces.tsx";
import { Pen } from "./Pen.tsx";
import { useTick } from "./time.ts";

/** The frame is seen large, over all else. */
export const large = signal(false);

export function Stage() {
	const call = useCall();
	const v = call.view.value;
	const sharing = v?.members.find((m) => m.screen && m.presence === "here");
	const lesson = v?.session.kind === "live-lesson";
	const hold = v?.hold;
	if (!v?.clip && !lesson && !sharing) return null;
	return (
		<section
			class="stage"
			id="stage"
			aria-labelledby="stage-h"
			data-large={large.value || undefined}
			data-two={(sharing && v?.clip) || undefined}
		>
			<h2 class="vh" id="stage-h">
				{lesson ? "Lesson" : v?.clip ? "Clip" : "Screen"}
			</h2>
			{v && sharing && <Screen member={sharing.id} name={sharing.name} short={shortName(sharing, v.members)} />}
			{v?.clip && (
				<figure class="picture picture--clip">
					<Clip />
				</figure>
			)}
			{lesson && !sharing && <Lesson />}
			{hold && (
				<p class="stage__caption">
					<b class="num">{fmtClip(hold.position, true)}</b>
					<button type="button" class="note__time" onClick={toggleLarge}>
						See it large
					</button>
				</p>
			)}
			{large.value && (
				<IconButton class="stage__small" icon={Minimize2} label="Make it small again" onClick={toggleLarge} />
			)}
		</section>
	);
}

export function toggleLarge(): void {
	large.value = !large.value;
}

function Clip() {
	const call = useCall();
	const ref = useRef<HTMLVideoElement>(null);
	const failed = useSignal(0);
	const id = call.view.value?.clip?.id ?? "";
	const rendition = useRendition(ref);
	useEffect(() => (ref.current ? call.clip.attach(ref.current) : undefined), [id]);
	useEffect(() => call.clip.setMuted(call.together.value), [call.together.value]);
	useEffect(() => toSpeaker(ref.current, call.devices.value.speaker), [call.devices.value.speaker]);
	useEffect(() => {
		if (failed.value === 0) return;
		const timer = setTimeout(() => ref.current?.load(), Math.min(8000, 500 * 2 ** failed.value));
		return () => clearTimeout(timer);
	}, [failed.value]);
	return (
		<>
			<video
				ref={ref}
				data-testid="clip"
				src={addressOf(id, rendition)}
				preload="auto"
				playsInline
				disablePictureInPicture
				aria-label="The lesson clip"
				onError={() => failed.value++}
				onLoadedMetadata={letGoEarly}
				onLoadedData={() => {
					failed.value = 0;
				}}
			/>
			<Alone />
			<Pen />
			{failed.value > 1 && (
				<p class="picture__word" role="status">
					The clip does not arrive. It is tried again.
				</p>
			)}
		</>
	);
}

/** How one leaves the others' place in the clip for a while, and comes back; and that one is not where they are. */
function Alone() {
	const call = useCall();
	const behind = call.clip.behind.value || call.me.value?.watching === "behind"; // as one's own player says, or as the others see
	if (!call.clip.alone.value) {
		return (
			<>
				<IconButton
					class="picture__own"
					icon={Telescope}
					label="Look around on your own (L)"
					onClick={() => call.lookAround(true)}
				/>
				{behind && (
					<p class="picture__sign" role="status">
						Catching up with the others…
					</p>
				)}
			</>
		);
	}
	return (
		<div class="picture__sign">
			<p>
				You look around on your own. <Others />
			</p>
			<Button size="small" variant="primary" onClick={() => call.lookAround(false)}>
				Come back
				<span class="kbd" aria-hidden="true">
					L
				</span>
			</Button>
		</div>
	);
}

function Others() {
	const call = useCall();
	void useTick(250).value;
	const at = <span class="num">{fmtClip(call.clip.othersAt())}</span>;
	return call.view.value?.hold ? <>The others are at a pause at {at}.</> : <>The others are at {at}.</>;
}

/** The size that was chosen, or the one that arrives and is shown in time here. */
function useRendition(ref: { current: HTMLVideoElement | null }): Rendition {
	const call = useCall();
	const chosen = call.clipQuality.value;
	const first = renditionFor(chosen);
	const fits = useSignal(first);
	useEffect(() => {
		fits.value = first;
		if (chosen !== "auto") return;
		const renditions = new Renditions(first);
		const looker = new Looker();
		const timer = setInterval(() => {
			const el = ref.current;
			if (!el) return;
			const state = call.clip.following.peek().state;
			const mode = call.view.peek()?.playback.mode;
			const held = mode === "holding" || call.state.peek() !== "open";
			const moving = state === "playing" || state === "catching-up";
			const due = mode !== "stopped";
			fits.value = renditions.look(looker.look(el, { held, moving, due }, document.hidden));
		}, 1000);
		return () => clearInterval(timer);
	}, [chosen]);
	return chosen === "auto" ? fits.value : first;
}

function Screen({ member, name, short }: { member: string; name: string; short: string }) {
	const call = useCall();
	const you = member === call.you.value;
	const source = you ? call.screen.value : (call.remote.value.get(member)?.screen ?? null);
	return (
		<figure class="picture picture--screen">
			<Picture
				testId="screen"
				source={source}
				name={`${name}, screen`}
				label={you ? "Your screen" : `Screen of ${name}`}
			/>
			<figcaption class="face__name">{you ? "You share your screen" : `${short} shares the screen`}</figcaption>
		</figure>
	);
}

function Lesson() {
	const call = useCall();
	const focal = call.view.value?.members.find((m) => m.role === "focal");
	const you = focal?.id === call.you.value;
	const source = !focal ? null : you ? call.camera.value : (call.remote.value.get(focal.id)?.camera ?? null);
	const live = source !== null && (you || (focal?.camera && focal.presence === "here"));
	return (
		<figure class="picture picture--clip">
			<Picture source={live ? source : null} name={focal?.name ?? ""} label={`The lesson of ${focal?.name ?? ""}`} />
			{!live && (
				<p class="picture__word" role="status">
					{!focal || focal.presence === "left"
						? "The teacher is not here yet."
						: focal.presence === "away"
							? `${focal.name} lost the connection. The picture is back as soon as the network is.`
							: `${focal.name} has covered the camera.`}
				</p>
			)}
		</figure>
	);
}
