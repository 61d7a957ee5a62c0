import type { IconNode } from "lucide";
import { Hand, MicOff, MonitorUp, Pencil, RefreshCw, Telescope, TriangleAlert, WifiOff } from "lucide";
import { useEffect, useRef } from "preact/hooks";
import type { Member } from "../event.gen.ts";
import { hueOf, initialsOf } from "../ui/Avatar.tsx";
import { Icon } from "../ui/Icon.tsx";
import { useTiles } from "../ui/tiles.ts";
import { roleWord, shortName } from "../words.ts";
import { useCall } from "./context.ts";
import { type FaceState, faceState, facesOf } from "./faces.ts";
import { publicationOf } from "./media.ts";
import { presenceLine } from "./say.ts";
import { useTick } from "./time.ts";

export function Faces({ leaveOut }: { leaveOut?: string }) {
	const call = useCall();
	const list = useRef<HTMLUListElement>(null);
	const members = call.view.value?.members ?? [];
	const shown = facesOf(members, leaveOut);
	const talking = call.layout.value === "talking";
	const tiles = useTiles(list, shown.length, talking);
	const line = presenceLine(members);
	return (
		<section class="faces" aria-labelledby="faces-h">
			<div class="faces__head">
				<h2 id="faces-h" class="t12">
					{line.here}
				</h2>
				<span>{line.observers}</span>
			</div>
			<ul ref={list} data-n={shown.length} style={tiles}>
				{shown.map((m) => (
					<Face key={m.id} member={m} />
				))}
			</ul>
		</section>
	);
}

const states: Record<NonNullable<FaceState>, { icon: IconNode; text: string }> = {
	away: { icon: WifiOff, text: "Away" },
	poor: { icon: TriangleAlert, text: "Poor connection" },
	alone: { icon: Telescope, text: "Looks around" },
	"catching-up": { icon: RefreshCw, text: "Catching up" },
	first: { icon: Hand, text: "First to speak" },
	next: { icon: Hand, text: "Next" },
	hand: { icon: Hand, text: "Wants to speak" },
	writing: { icon: Pencil, text: "Writing" },
};

function Face({ member: m }: { member: Member }) {
	const call = useCall();
	const you = m.id === call.you.value;
	const speaking = call.speaking.value.has(m.id) && m.mic;
	const camera = you ? call.camera.value : (call.remote.value.get(m.id)?.camera ?? null);
	const on = you ? call.camera.value !== null : m.camera && m.presence === "here";
	const muted = you ? !call.micOn.value : !m.mic;
	return (
		<li class={speaking ? "face face--speaking" : "face"} data-member={m.id} style={{ "--h": String(hueOf(m.name)) }}>
			{m.presence === "here" && <Picture source={on ? camera : null} mirrored={you} name={m.name} />}
			{!(on && camera) && (
				<span class="face__initials" aria-hidden="true">
					{initialsOf(m.name)}
				</span>
			)}
			<State member={m} />
			<div class="face__name">
				<strong title={m.name}>{shortName(m, call.view.value?.members ?? [])}</strong>
				<span class="role">{you ? `${roleWord[m.role]} · you` : roleWord[m.role]}</span>
				{m.screen && <Icon icon={MonitorUp} size={16} label="shares the screen" />}
				{muted && <Icon icon={MicOff} size={16} label="microphone off" />}
			</div>
		</li>
	);
}

function State({ member }: { member: Member }) {
	const call = useCall();
	const v = call.view.value;
	void useTick(v?.hold ? 1000 : 60_000).value;
	if (!v) return null;
	const state = faceState(member, v.members, v.hold, call.typing.value, call.quality.value, call.now());
	if (!state) return null;
	return (
		<span class="face__state">
			<Icon icon={states[state].icon} size={16} />
			<span>{states[state].text}</span>
		</span>
	);
}

/** A live picture. The element stays when its stream changes. */
export function Picture(p: {
	source: MediaStream | MediaStreamTrack | null;
	mirrored?: boolean;
	name: string;
	label?: string;
	testId?: string;
}) {
	const ref = useRef<HTMLVideoElement>(null);
	useEffect(() => {
		const el = ref.current;
		if (!el) return;
		const stream = p.source instanceof MediaStreamTrack ? new MediaStream([p.source]) : p.source;
		el.srcObject = stream;
		if (stream) void el.play().catch(() => {});
	}, [p.source]);
	useShown(ref, p.source);
	return (
		<video
			ref={ref}
			data-testid={p.testId ?? "participant"}
			data-name={p.name}
			class={p.mirrored ? "mirrored" : undefined}
			aria-label={p.label ?? `Picture of ${p.name}`}
			hidden={!p.source}
			autoPlay
			playsInline
			muted
		/>
	);
}

/** While a picture of somebody else is on the page, the server knows how large. */
function useShown(ref: preact.RefObject<HTMLVideoElement | null>, source: MediaStream | MediaStreamTrack | null): void {
	const call = useCall();
	useEffect(() => {
		if (!ref.current || !(source instanceof MediaStream) || !publicationOf(source)) return;
		return call.views.watch(ref.current, () => publicationOf(source));
	}, [source]);
}

/** Everybody's voice. The elements are apart from the pictures, so that a hidden face is heard. */
export function Voices() {
	const call = useCall();
	const streams: [string, MediaStream][] = [];
	for (const [member, s] of call.remote.value) {
		if (s.audio) streams.push([`${member}-audio`, s.audio]);
		if (s["screen-audio"]) streams.push([`${member}-screen`, s["screen-audio"]]);
	}
	return (
		<div hidden>
			{streams.map(([key, stream]) => (
				<Voice key={key} stream={stream} />
			))}
		</div>
	);
}

function Voice({ stream }: { stream: MediaStream }) {
	const call = useCall();
	const ref = useRef<HTMLAudioElement>(null);
	const speaker = call.devices.value.speaker;
	const muted = call.together.value;
	useEffect(() => {
		const el = ref.current;
		if (!el) return;
		el.srcObject = stream;
		el.play().catch(() => call.soundBlocked());
	}, [stream]);
	useEffect(() => void toSpeaker(ref.current, speaker), [speaker]);
	return <audio ref={ref} data-testid="voice" autoPlay muted={muted} />;
}

/** Sends an element's sound to a speaker, where the browser can. */
export function toSpeaker(el: HTMLMediaElement | null, id: string): void {
	if (el && "setSinkId" in el) void (el.setSinkId as (id: string) => Promise<void>).call(el, id).catch(() => {});
}
