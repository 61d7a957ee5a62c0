import { useEffect, useMemo, useState } from "preact/hooks";
import type { Clip, Plan, PlanChange, PlannedNote, PlannedPause } from "../api.ts";
import { uuidv7 } from "../call/uuid.ts";
import type { Note, Pause } from "../event.gen.ts";
import { ClipStage } from "../player/ClipStage.tsx";
import { isForTyping, Player, playerKey } from "../player/player.ts";
import { frameMiddle, framesOf } from "../sync/line.ts";
import { Timeline } from "../timeline/Timeline.tsx";
import { Button } from "../ui/Button.tsx";
import { announce, toast } from "../ui/Toast.tsx";
import { fmtClip, fmtClockShort, fmtLength, fmtLong } from "../ui/time.ts";
import { type AgendaItem, agendaOf, lengthOf } from "./agenda.ts";
import { Notes } from "./Notes.tsx";
import { PauseEditor } from "./PauseEditor.tsx";

interface WorkProps {
	plan: Plan;
	clip: Clip;
	change: (c: PlanChange) => void;
	saved: preact.ComponentChildren;
	invite: preact.ComponentChildren;
}

const PROMPT = "What do you notice?";

/** The clip with its pauses, set with the frame in view; the agenda that follows from them; one's own notes. */
export function Work({ plan, clip, change, saved, invite }: WorkProps) {
	const [opening] = useState(() => agendaOf(plan.pauses, clip)[0]);
	const player = useMemo(() => new Player(clip, opening?.clipTime ?? clip.from), [clip.id]);
	const [selected, setSelected] = useState<string | null>(opening?.pause.id ?? null);
	const [fresh, setFresh] = useState<string | null>(null);
	const [writing, setWriting] = useState<string | null>(null);
	const items = agendaOf(plan.pauses, clip);
	const current = items.find((i) => i.pause.id === selected);
	const locked = plan.begun;

	const select = (p: Pick<PlannedPause, "id" | "frame">) => {
		setSelected(p.id);
		setFresh(null);
		player.stop();
		player.show(p.frame);
	};
	const setPauses = (pauses: PlannedPause[]) => change({ pauses });
	const addPause = () => {
		if (locked) return;
		player.stop();
		const frame = player.frame.value;
		const there = plan.pauses.find((p) => p.frame === frame);
		if (there) {
			select(there);
			return;
		}
		const range = framesOf(clip);
		if (frame < range.first || frame > range.last) {
			toast("Pauses lie inside of the chosen range. Go back into it, or change the range on the clip’s own page.");
			return;
		}
		const made = { id: uuidv7(), frame, prompt: PROMPT, think: 60_000, talk: 360_000 };
		setPauses([...plan.pauses, made]);
		setSelected(made.id);
		setFresh(made.id);
		announce(`Pause added at ${fmtClip(frameMiddle(frame, clip), true)}`);
	};
	const changePause = (id: string, c: Partial<PlannedPause>) => {
		if (c.frame !== undefined && plan.pauses.some((p) => p.id !== id && p.frame === c.frame)) {
			toast("There is a pause on that frame already.");
			return;
		}
		setPauses(plan.pauses.map((p) => (p.id === id ? { ...p, ...c } : p)));
	};
	const removePause = (gone: PlannedPause) => {
		const before = plan.pauses;
		setPauses(before.filter((p) => p.id !== gone.id));
		const at = items.findIndex((i) => i.pause.id === gone.id);
		setSelected((items[at + 1] ?? items[at - 1])?.pause.id ?? null);
		toast("The pause is removed.", {
			label: "Undo",
			run: () => {
				setPauses(before);
				setSelected(gone.id);
			},
		});
	};

	const addNote = () => {
		if (locked) return;
		player.stop();
		const at = Math.round(player.position.value);
		const made: PlannedNote = { id: uuidv7(), type: "observation", text: "", visibility: "private", from: at, to: at };
		change({ notes: [...plan.notes, made] });
		setWriting(made.id);
	};
	const changeNote = (id: string, c: Partial<PlannedNote>) =>
		change({ notes: plan.notes.map((n) => (n.id === id ? { ...n, ...c } : n)) });
	const removeNote = (id: string) => {
		change({ notes: plan.notes.filter((n) => n.id !== id) });
		if (writing === id) setWriting(null);
	};

	useEffect(() => {
		const onKey = (e: KeyboardEvent) => {
			if (isForTyping(e) || playerKey(player, e)) return;
			const key = e.key.toLowerCase();
			if (key === "p") addPause();
			else if (key === "n") addNote();
			else return;
			e.preventDefault();
		};
		document.addEventListener("keydown", onKey);
		return () => document.removeEventListener("keydown", onKey);
	});

	return (
		<div class="plan-cols">
			<aside class="plan" aria-label="Plan">
				<Agenda plan={plan} clip={clip} items={items} selected={selected} select={select} />
				{invite}
			</aside>
			<div class="work">
				<ClipStage
					player={player}
					clip={clip}
					end={
						!locked && (
							<>
								<Button variant="outline" onClick={addNote}>
									Note <kbd class="kbd only-desk">N</kbd>
								</Button>
								<Button variant="pause" onClick={addPause}>
									<i class="diamond" />
									Add a pause here <kbd class="kbd only-desk">P</kbd>
								</Button>
							</>
						)
					}
				/>
				{current ? (
					<PauseEditor
						key={current.pause.id}
						pause={current.pause}
						place={`${items.indexOf(current) + 1} of ${items.length}`}
						clip={clip}
						player={player}
						fresh={fresh === current.pause.id}
						disabled={locked}
						change={(c) => changePause(current.pause.id, c)}
						remove={() => removePause(current.pause)}
						foot={locked ? null : saved}
					/>
				) : (
					<NoPause foot={locked ? null : saved} />
				)}
				<section class="timeline" aria-label="Timeline">
					<Timeline
						clip={clip}
						pauses={items.map((i) => asPause(i.pause))}
						notes={plan.notes.filter((n) => n.text.trim()).map(asNote)}
						position={() => player.position.peek()}
						onSeek={(us) => player.seek(us)}
						onPause={(p) => select(p)}
						onNotes={(notes) => notes[0] && player.seek(notes[0].from)}
						holding={selected ?? undefined}
					/>
				</section>
				<Notes
					notes={plan.notes}
					open={writing}
					setOpen={setWriting}
					change={changeNote}
					remove={removeNote}
					seek={(us) => player.seek(us)}
					disabled={locked}
				/>
			</div>
		</div>
	);
}

function NoPause({ foot }: { foot: preact.ComponentChildren }) {
	return (
		<section class="card editor" aria-label="Pauses">
			<div class="editor__head">
				<i class="diamond" />
				<h2>No pauses yet</h2>
			</div>
			<p class="quiet">
				Play the clip. Where something is worth talking about, stop, and add a pause: there the clip stops for
				everybody, on this very frame, and asks what you write.
			</p>
			<p class="foot">{foot}</p>
		</section>
	);
}

interface AgendaProps {
	plan: Plan;
	clip: Clip;
	items: AgendaItem[];
	selected: string | null;
	select: (p: PlannedPause) => void;
}

function Agenda({ plan, clip, items, selected, select }: AgendaProps) {
	const long = lengthOf(plan.pauses, clip);
	const start = plan.scheduled ? Date.parse(plan.scheduled) : null;
	const tooLong = plan.minutes > 0 && long > plan.minutes * 60_000;
	return (
		<section class="card" aria-labelledby="plan-h">
			<div class="plan__head">
				<h2 id="plan-h">{plan.scheduled ? fmtLong(plan.scheduled) : "No date yet"}</h2>
				{plan.minutes > 0 && <span class="quiet num">{plan.minutes} min</span>}
			</div>
			{items.length === 0 && <p class="plan__none">The pauses that you set are the agenda.</p>}
			<ol class="agenda">
				{items.map((i) => (
					<li key={i.pause.id} aria-current={i.pause.id === selected ? "true" : undefined}>
						<button type="button" class="item" onClick={() => select(i.pause)}>
							<span class="at">{start === null ? fmtClip(i.begins * 1000) : fmtClockShort(start + i.begins)}</span>
							<i class="diamond" />
							<strong>{i.pause.prompt || "Nothing is asked yet"}</strong>
							<small>{i.detail}</small>
						</button>
					</li>
				))}
			</ol>
			{items.length > 0 && (
				<p class="hint plan__long">
					With these pauses it takes about {fmtLength(long)}
					{tooLong ? `, longer than the ${plan.minutes} minutes you planned.` : "."}
				</p>
			)}
		</section>
	);
}

function asPause(p: PlannedPause): Pause {
	return { by: "", ...p, passed: false };
}

function asNote(n: PlannedNote): Note {
	return {
		id: n.id,
		author: "",
		type: n.type,
		visibility: n.visibility ?? "private",
		text: n.text,
		at: 0,
		onClip: true,
		from: n.from,
		to: n.to,
		written: 0,
		replies: [],
	};
}
