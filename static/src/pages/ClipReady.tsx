import { CalendarPlus } from "lucide";
import { useEffect, useMemo, useState } from "preact/hooks";
import { api, type Clip, type ClipChange } from "../api.ts";
import { Autosave } from "../autosave.ts";
import { useAction, useFlush } from "../hooks.ts";
import { ClipStage } from "../player/ClipStage.tsx";
import { isForTyping, Player, playerKey } from "../player/player.ts";
import { RangeStrip } from "../player/RangeStrip.tsx";
import { navigate } from "../router.ts";
import { Button } from "../ui/Button.tsx";
import { Check, Field, TextArea } from "../ui/Field.tsx";
import { Notice } from "../ui/Notice.tsx";
import { Saved } from "../ui/Saved.tsx";
import { fmtClip, fmtDay, midSentence } from "../ui/time.ts";
import { DeleteClip } from "./DeleteClip.tsx";
import { CONSENT } from "./NewClipPage.tsx";

/** A clip that can be watched: by its owner with everything that is said of it, by others as it is. */
export function ClipReady({ clip }: { clip: Clip }) {
	const [draft, setDraft] = useState(clip);
	// One player for as long as the page is about this clip, however often it is loaded again.
	const player = useMemo(() => new Player(clip, clip.from), [clip.id]);
	const autosave = useMemo(
		() => new Autosave<ClipChange>(async (change) => void (await api.changeClip(clip.id, change))),
		[clip.id],
	);
	useFlush(autosave);
	const change = (c: ClipChange) => {
		setDraft((d) => ({ ...d, ...c }));
		autosave.put(c);
	};
	useEffect(() => {
		const onKey = (e: KeyboardEvent) => {
			if (!isForTyping(e)) playerKey(player, e);
		};
		document.addEventListener("keydown", onKey);
		return () => document.removeEventListener("keydown", onKey);
	}, [player]);
	const mine = clip.mine && !clip.practice;
	const plan = useAction(async () => {
		await autosave.flush();
		const s = await api.newSession({ kind: "conversation", title: draft.title, focus: draft.focus, clip: clip.id });
		navigate(`/s/${s.id}/plan`);
	});
	return (
		<>
			<div class="headline">
				<h1>{draft.focus || draft.title}</h1>
				<p class="ctx">
					{draft.focus && <span>{draft.title}</span>}
					<span class="num">{fmtClip(draft.to - draft.from)}</span>
					{clip.created && <span>added {midSentence(fmtDay(clip.created))}</span>}
					{clip.session && (
						<span>
							<a href={`/s/${clip.session}/replay`}>recorded in a session</a>
						</span>
					)}
				</p>
			</div>
			<div class="clip-cols">
				<div>
					<ClipStage
						player={player}
						clip={clip}
						end={
							(mine || clip.practice) && (
								<Button variant="primary" icon={CalendarPlus} busy={plan.busy} onClick={() => plan.start()}>
									Plan a session with it
								</Button>
							)
						}
					/>
					{plan.error && (
						<Notice tone="danger" live>
							{plan.error}
						</Notice>
					)}
					<RangeStrip
						player={player}
						clip={clip}
						from={draft.from}
						to={draft.to}
						onRange={mine ? (from, to) => change({ from: Math.round(from), to: Math.round(to) }) : undefined}
					/>
					{mine && <RangeBar player={player} clip={draft} change={change} />}
				</div>
				<div>{mine ? <About clip={draft} change={change} autosave={autosave} /> : <Said clip={clip} />}</div>
			</div>
		</>
	);
}

interface Editing {
	clip: Clip;
	change: (c: ClipChange) => void;
}

/** The range by buttons: from the frame in view, to the frame in view. */
function RangeBar({ player, clip, change }: Editing & { player: Player }) {
	const at = Math.round(player.position.value);
	const whole = clip.from === 0 && clip.to === clip.duration;
	return (
		// biome-ignore lint/a11y/useSemanticElements: a group of buttons is no fieldset
		<div class="rangebar" role="group" aria-label="Chosen range">
			<p>
				<strong>The others see</strong>{" "}
				<span class="num">{whole ? "all of it" : `${fmtClip(clip.from, true)} to ${fmtClip(clip.to, true)}`}</span>
			</p>
			<div class="end">
				<Button variant="outline" size="small" disabled={at >= clip.to - 1e6} onClick={() => change({ from: at })}>
					Begin here
				</Button>
				<Button variant="outline" size="small" disabled={at <= clip.from + 1e6} onClick={() => change({ to: at })}>
					End here
				</Button>
				<Button variant="quiet" size="small" disabled={whole} onClick={() => change({ from: 0, to: clip.duration })}>
					Take all of it
				</Button>
			</div>
		</div>
	);
}

function About({ clip, change, autosave }: Editing & { autosave: Autosave<ClipChange> }) {
	return (
		<>
			<section class="card about" aria-labelledby="about-h">
				<div class="about__head">
					<h2 id="about-h">About this clip</h2>
					<Saved autosave={autosave} />
				</div>
				<Field label="Title" value={clip.title} onInput={(title) => change({ title })} maxLength={200} />
				<TextArea
					label="Focus question"
					value={clip.focus}
					onInput={(focus) => change({ focus })}
					rows={2}
					maxLength={1000}
					placeholder="Who is doing the thinking?"
					hint="What you want to look at with the others."
				/>
				<TextArea
					label="Context card"
					value={clip.context}
					onInput={(context) => change({ context })}
					rows={4}
					maxLength={10000}
					placeholder="Who the pupils are, what came before, what you were hoping for"
				/>
				<Check label={CONSENT} checked={clip.pupilConsent} onChange={(pupilConsent) => change({ pupilConsent })} />
			</section>
			<section class="card about" aria-labelledby="seen-h">
				<h2 id="seen-h">Who can see it</h2>
				<Viewers clip={clip} />
				<div class="row" style={{ marginLeft: "-16px" }}>
					<DeleteClip clip={clip} />
				</div>
			</section>
		</>
	);
}

function Viewers({ clip }: { clip: Clip }) {
	if (!clip.viewers || clip.viewers.length === 0) {
		return (
			<p class="quiet">
				Only you. When you take it into a session, the people of that session see it too, and nobody else.
			</p>
		);
	}
	return (
		<>
			<p class="quiet">You, and the people of the sessions that you took it into:</p>
			<p>{clip.viewers.join(", ")}</p>
		</>
	);
}

/** What its owner says, for those whom it is shown to. */
function Said({ clip }: { clip: Clip }) {
	return (
		<section class="card about" aria-label="About this clip">
			<dl>
				<div>
					<dt>{clip.practice ? "For practice" : "From"}</dt>
					<dd>{clip.practice ? "It is nobody’s lesson. Try everything with it." : clip.ownerName}</dd>
				</div>
				{clip.focus && (
					<div>
						<dt>Focus question</dt>
						<dd>{clip.focus}</dd>
					</div>
				)}
				{clip.context && (
					<div>
						<dt>Context card</dt>
						<dd>{clip.context}</dd>
					</div>
				)}
				{clip.purpose && (
					<div>
						<dt>Purpose</dt>
						<dd>{clip.purpose}</dd>
					</div>
				)}
			</dl>
		</section>
	);
}
