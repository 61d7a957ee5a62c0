/** Clip, faces and voices: the elements that keep to the conversation's clock. */
import { useSignal } from "@preact/signals";
import { EyeOff, MicOff } from "lucide";
import { useEffect, useRef } from "preact/hooks";
import { urls } from "../api.ts";
import { Drawings, DrawnBy, sizeOf } from "../draw/Drawings.tsx";
import type { Member, View } from "../event.gen.ts";
import { hueOf, initialsOf } from "../ui/Avatar.tsx";
import { Icon } from "../ui/Icon.tsx";
import { useTiles } from "../ui/tiles.ts";
import { roleWord, shortName } from "../words.ts";
import { ClipPart, TrackPart } from "./conductor.ts";
import { useReplay } from "./context.ts";
import { SegmentBuffer, type Source, type Track } from "./media.ts";
import type { ReplaySession } from "./session.ts";

/** The clip in 360p where the connection is to be spared. */
function clipHeight(): 720 | 360 {
	const net = (navigator as { connection?: { saveData?: boolean; effectiveType?: string } }).connection;
	return net?.saveData || /2g|3g/.test(net?.effectiveType ?? "") ? 360 : 720;
}

export function ClipPicture() {
	const replay = useReplay();
	const ref = useRef<HTMLVideoElement>(null);
	const failed = useSignal(false);
	const id = replay.history.end.clip?.id ?? "";
	useEffect(() => {
		if (!ref.current) return;
		const { conductor, history } = replay;
		return conductor.add(
			new ClipPart(ref.current, history, () => {
				conductor.soundRefused.value = true;
			}),
		);
	}, [replay]);
	return (
		<figure class="picture replay__clip">
			<video
				ref={ref}
				data-testid="clip"
				src={urls.video(id, clipHeight())}
				preload="auto"
				playsInline
				disablePictureInPicture
				aria-label="The lesson clip"
				onError={() => {
					failed.value = true;
				}}
			/>
			<Drawn />
			{failed.value && (
				<p class="replay__word" role="status">
					The clip is not there any more, or did not arrive. The conversation replays without it.
				</p>
			)}
		</figure>
	);
}

/** What was drawn on the frame at this moment. */
function Drawn() {
	const replay = useReplay();
	const { clip, members } = replay.history.end;
	const { drawings } = replay.view.value;
	if (!clip) return null;
	return (
		<>
			<Drawings size={sizeOf(clip)} drawings={drawings} members={members} />
			<DrawnBy drawings={drawings} members={members} you={replay.you} />
		</>
	);
}

/** An element on the clock, for as long as it is shown. `there` tells whether it has a picture just now. */
function useTrack(
	replay: ReplaySession,
	track: Track | undefined,
	ref: preact.RefObject<HTMLMediaElement | null>,
	muted: boolean,
) {
	const there = useSignal(false);
	useEffect(() => {
		const el = ref.current;
		if (!el || !track) return;
		const { conductor, history } = replay;
		const onProblem = (sentence: string) => {
			replay.problem.value = sentence;
		};
		const buffer = new SegmentBuffer(el, { sessionId: replay.id, track, duration: history.duration, onProblem });
		const refused = () => {
			conductor.soundRefused.value = true;
		};
		const part = new TrackPart(el, buffer, refused, muted);
		const stop = part.there.subscribe((v) => {
			there.value = v;
		});
		const remove = conductor.add(part);
		return () => {
			stop();
			remove();
		};
	}, [replay, track]);
	return there;
}

/** A member's recorded camera or screen; what is inside is shown while there is no picture. */
export function Recorded(p: { member: string; source: Source; label: string; children?: preact.ComponentChildren }) {
	const replay = useReplay();
	const ref = useRef<HTMLVideoElement>(null);
	const track = replay.track(p.member, p.source);
	const there = useTrack(replay, track, ref, true);
	return (
		<>
			{track && (
				<video
					ref={ref}
					data-testid="participant"
					aria-label={p.label}
					data-there={there.value || undefined}
					muted
					playsInline
					disablePictureInPicture
				/>
			)}
			{!there.value && p.children}
		</>
	);
}

/** Everybody's voice. */
export function Voices() {
	const replay = useReplay();
	const tracks = replay.tracks.filter((t) => t.source === "audio" || t.source === "screen-audio");
	return (
		<div hidden>
			{tracks.map((t) => (
				<Voice key={t.key} track={t} />
			))}
		</div>
	);
}

function Voice({ track }: { track: Track }) {
	const ref = useRef<HTMLAudioElement>(null);
	useTrack(useReplay(), track, ref, false);
	return <audio ref={ref} data-testid="voice" />;
}

/** Who was there; where there was nothing to watch, the faces fill the page. */
export function Faces({ fill = false }: { fill?: boolean }) {
	const replay = useReplay();
	const list = useRef<HTMLUListElement>(null);
	const people = replay.people.filter((m) => !(replay.lesson && m.id === replay.focal?.id));
	const tiles = useTiles(list, people.length, fill);
	return (
		<section class="replay__faces" aria-labelledby="faces-h">
			<h2 class="vh" id="faces-h">
				Who was there
			</h2>
			<ul ref={list} data-n={people.length} style={tiles}>
				{people.map((m) => (
					<Face key={m.id} member={m} />
				))}
			</ul>
		</section>
	);
}

function Face({ member: m }: { member: Member }) {
	const replay = useReplay();
	const now = replay.view.value.members.find((e) => e.id === m.id);
	const speaking = replay.speaking.value.split(",").includes(m.id);
	const away = awayWord(now, replay.view.value);
	const cls = ["face", speaking ? "face--speaking" : "", away ? "replay__face--away" : ""].filter(Boolean).join(" ");
	return (
		<li class={cls} data-member={m.id} style={{ "--h": String(hueOf(m.name)) }}>
			<Recorded member={m.id} source="camera" label={m.name}>
				<span class="replay__initials" aria-hidden="true">
					{initialsOf(m.name)}
				</span>
			</Recorded>
			{away && <span class="face__state replay__away">{away}</span>}
			<div class="face__name">
				<strong title={m.name}>{shortName(m, replay.people)}</strong>
				<span class="role">{m.id === replay.you ? "you" : roleWord[m.role]}</span>
				{!away && now && !now.mic && <Icon icon={MicOff} size={16} label="microphone off" />}
			</div>
		</li>
	);
}

function awayWord(m: Member | undefined, v: View): string {
	if (!m) return "Not here yet";
	if (m.presence === "left") return v.session.ended ? "" : "Left";
	return m.presence === "away" ? "Away" : "";
}

/** What everybody watched: the clip, the lesson, a shared screen. */
export function Stage() {
	const replay = useReplay();
	const { clip, members } = replay.history.end;
	const screens = members.filter((m) => replay.track(m.id, "screen"));
	const sharing = replay.view.value.members.find((m) => m.screen && m.presence === "here")?.id;
	const focal = replay.focal;
	if (!clip && !replay.lesson && screens.length === 0) return null;
	return (
		<section class="replay__stage" id="stage" aria-labelledby="stage-h" data-two={(clip && sharing) || undefined}>
			<h2 class="vh" id="stage-h">
				{replay.lesson ? "The lesson, as it was recorded" : "The clip, as everyone saw it"}
			</h2>
			{clip && <ClipPicture />}
			{replay.lesson && focal && (
				<figure class="picture">
					<Recorded member={focal.id} source="camera" label={focal.name}>
						<NoLesson />
					</Recorded>
				</figure>
			)}
			{screens.map((m) => (
				<figure class="picture replay__screen" key={m.id} hidden={m.id !== sharing}>
					<Recorded member={m.id} source="screen" label={`Screen of ${m.name}`} />
					<figcaption class="face__name">{m.name} shared the screen</figcaption>
				</figure>
			))}
		</section>
	);
}

function NoLesson() {
	const replay = useReplay();
	const name = replay.focal?.name ?? "";
	const now = replay.view.value.members.find((m) => m.id === replay.focal?.id);
	const covered = now?.presence === "here" && !now.camera;
	return (
		<p class="replay__word" role="status">
			<Icon icon={EyeOff} />
			{replay.offRecord.value
				? "The lesson was not recorded here."
				: covered
					? `${name} covered the camera.`
					: "There is no picture here."}
		</p>
	);
}
