import { useSignal } from "@preact/signals";
import { Trash2 } from "lucide";
import type { Clip, Pause, PausePut } from "../event.gen.ts";
import { lengthOptions } from "../plan/agenda.ts";
import { frameMiddle } from "../sync/line.ts";
import { Button } from "../ui/Button.tsx";
import { Dialog } from "../ui/Dialog.tsx";
import { Segmented, TextArea } from "../ui/Field.tsx";
import { fmtClip, fmtLength } from "../ui/time.ts";
import { useCall } from "./context.ts";
import { callOf, frameFor, MAX_PROMPT, pauseOn, putOf, rightOn } from "./pauses.ts";
import { useTick } from "./time.ts";

const THINK = [0, 30_000, 60_000, 120_000];
const TALK = [240_000, 360_000, 600_000, 0];

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
	const prompt = useSignal("");
	const think = useSignal(0);
	const ask = async () => {
		if (await call.ask({ type: "pause.call", data: callOf(prompt.peek(), think.peek()) })) onClose();
	};
	return (
		<form
			class="stack pause-form"
			onSubmit={(e) => {
				e.preventDefault();
				void ask();
			}}
		>
			<TextArea
				label="Ask"
				placeholder="What do you see here?"
				value={prompt.value}
				onInput={(v) => {
					prompt.value = v;
				}}
				maxLength={MAX_PROMPT}
				rows={2}
			/>
			<Segmented
				legend="Think alone first"
				wide
				value={String(think.value)}
				options={lengthOptions(THINK, think.value, "No")}
				onChange={(v) => {
					think.value = Number(v);
				}}
			/>
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

			<TextArea label="Ask" value={d.prompt} onInput={(prompt) => set({ prompt })} rows={3} maxLength={MAX_PROMPT} />
			<Segmented
				legend="Think alone first"
				wide
				value={String(d.think)}
				options={lengthOptions(THINK, d.think, "No")}
				onChange={(v) => set({ think: Number(v) })}
			/>
			<Segmented
				legend="Then talk"
				wide
				value={String(d.talk)}
				options={lengthOptions(TALK, d.talk, "Open")}
				onChange={(v) => set({ talk: Number(v) })}
			/>
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
	const here = frameFor(call.position(), clip);
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
