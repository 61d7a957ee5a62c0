import { useSignal } from "@preact/signals";
import { Trash2 } from "lucide";
import type { Clip, Pause, PausePut } from "../event.gen.ts";
import { PauseFields } from "../plan/PauseFields.tsx";
import { frameMiddle } from "../sync/line.ts";
import { Button } from "../ui/Button.tsx";
import { Dialog } from "../ui/Dialog.tsx";
import { fmtClip, fmtLength } from "../ui/time.ts";
import { useCall } from "./context.ts";
import { callOf, frameFor, pauseOn, putOf, rightOn } from "./pauses.ts";
import { useTick } from "./time.ts";

/** A spontaneous pause with a question, and time to think about it alone. */
export function AskDialog({ open, onClose }: { open: boolean; onClose: () => void }) {
	return (
		<Dialog open={open} title="Call a pause with a question" onClose={onClose}>
			<AskForm onClose={onClose} />
		</Dialog>
	);
}

function AskForm({ onClose }: { onClose: () => void }) {
	const call = useCall();
	const asked = useSignal({ prompt: "", think: 0 });
	const change = (c: Partial<PausePut>) => {
		asked.value = { ...asked.peek(), ...c };
	};
	const ask = async () => {
		const { prompt, think } = asked.peek();
		if (await call.ask({ type: "pause.call", data: callOf(prompt, think) })) onClose();
	};
	return (
		<form
			class="stack pause-form"
			onSubmit={(e) => {
				e.preventDefault();
				void ask();
			}}
		>
			<PauseFields pause={asked.value} change={change} rows={2} placeholder="What do you see here?" />
			<p class="hint">The clip stops for everyone on the same frame when you call it. It plays on until then.</p>
			<div class="pause-form__acts">
				<Button variant="outline" onClick={onClose}>
					Cancel
				</Button>
				<Button variant="pause" type="submit">
					<i class="diamond" />
					Pause with this
				</Button>
			</div>
		</form>
	);
}

/** A prepared pause: made, changed, accepted or taken away by those who may; read by the others. */
export function PauseDialog({ pause, onClose }: { pause: PausePut | null; onClose: () => void }) {
	const call = useCall();
	const known = pause ? call.view.value?.pauses.find((p) => p.id === pause.id) : undefined;
	const right = known ? rightOn(known, call.may.value, call.me.value) : "edit";
	const title = !known
		? call.can("prepare")
			? "Add a pause"
			: "Propose a pause"
		: right === "accept"
			? `${known.by} proposes a pause`
			: known.proposed
				? "Your proposal"
				: "Pause";
	const clip = call.view.value?.clip;
	return (
		<Dialog open={pause !== null} title={title} onClose={onClose}>
			{pause &&
				clip &&
				(right === "read" && known ? (
					<ReadPause pause={known} clip={clip} onClose={onClose} />
				) : (
					<PauseForm key={pause.id} start={pause} known={known} clip={clip} onClose={onClose} />
				))}
		</Dialog>
	);
}

function ReadPause({ pause: p, clip, onClose }: { pause: Pause; clip: Clip; onClose: () => void }) {
	const times = [p.think ? `think ${fmtLength(p.think)}` : "", p.talk ? `talk ${fmtLength(p.talk)}` : "talk freely"];
	return (
		<>
			<p class="pause-form__prompt">{p.prompt || "What do you see here?"}</p>
			<p class="quiet">
				At <span class="num">{fmtClip(frameMiddle(p.frame, clip), true)}</span>, {times.filter(Boolean).join(", ")}.{" "}
				{p.by && `Prepared by ${p.by}.`}
			</p>
			<div class="pause-form__acts">
				<GoThere frame={p.frame} clip={clip} onClose={onClose} />
				<Button variant="outline" onClick={onClose}>
					Close
				</Button>
			</div>
		</>
	);
}

/** A little before the pause, so that what leads to it is seen. */
const BEFORE = 3_000_000;

function GoThere({ frame, clip, onClose }: { frame: number; clip: Clip; onClose: () => void }) {
	const call = useCall();
	if (!call.can("drive") || call.view.value?.hold) return null;
	const go = () => {
		call.seek(Math.max(clip.from, frameMiddle(frame, clip) - BEFORE));
		onClose();
	};
	return (
		<Button variant="quiet" onClick={go}>
			Go there
		</Button>
	);
}

interface FormProps {
	start: PausePut;
	known: Pause | undefined;
	clip: Clip;
	onClose: () => void;
}

function PauseForm({ start, known, clip, onClose }: FormProps) {
	const call = useCall();
	const draft = useSignal<PausePut>(known ? putOf(known) : start);
	const d = draft.value;
	const set = (c: Partial<PausePut>) => {
		draft.value = { ...draft.peek(), ...c };
	};
	const taken = pauseOn(d.frame, call.view.value?.pauses ?? [], d.id);
	const accepting = known?.proposed && call.can("prepare");
	const word = known ? (accepting ? "Accept" : "Save") : call.can("prepare") ? "Add" : "Propose";
	const save = async () => {
		if (taken) return;
		if (await call.ask({ type: "pause.put", data: { ...draft.peek(), prompt: draft.peek().prompt.trim() } })) onClose();
	};
	const remove = async () => {
		if (await call.ask({ type: "pause.remove", data: { id: d.id } })) onClose();
	};
	return (
		<form
			class="stack pause-form"
			onSubmit={(e) => {
				e.preventDefault();
				void save();
			}}
		>
			<Where frame={d.frame} clip={clip} onMove={(frame) => set({ frame })} />
			{taken && (
				<p class="field__error" role="alert">
					There is a pause on this frame already. Change that one, or go to another frame.
				</p>
			)}
			<PauseFields pause={d} change={set} placeholder="What do you see here?" />
			{!call.can("prepare") && (
				<p class="hint">The clip stops here once somebody who prepares pauses has accepted it.</p>
			)}
			<div class="pause-form__acts">
				{known && (
					<Button class="pause-form__remove" icon={Trash2} onClick={remove}>
						{accepting ? "Decline" : "Remove"}
					</Button>
				)}
				{known && <GoThere frame={known.frame} clip={clip} onClose={onClose} />}
				{!known && (
					<Button variant="outline" onClick={onClose}>
						Cancel
					</Button>
				)}
				<Button variant="primary" type="submit" aria-disabled={taken ? true : undefined}>
					{word}
				</Button>
			</div>
		</form>
	);
}

/** The pause's place, and the clip's, if it went on meanwhile. */
function Where({ frame, clip, onMove }: { frame: number; clip: Clip; onMove: (frame: number) => void }) {
	const call = useCall();
	void useTick(250).value;
	const here = frameFor(call.clip.seen(), clip);
	return (
		<p class="pause-form__where">
			<i class="diamond" />
			<b class="num">{fmtClip(frameMiddle(frame, clip), true)}</b>
			{here === frame ? (
				<span class="hint">The frame that you see</span>
			) : (
				<Button variant="quiet" size="small" onClick={() => onMove(here)}>
					Move it to <span class="num">{fmtClip(frameMiddle(here, clip), true)}</span>
				</Button>
			)}
		</p>
	);
}
