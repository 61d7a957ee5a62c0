import { type Signal, useSignal } from "@preact/signals";
import type { IconNode } from "lucide";
import { ChevronDown, GraduationCap, LockKeyhole, Users } from "lucide";
import { useEffect, useRef } from "preact/hooks";
import type { NoteAdd, NoteType, Visibility } from "../../event.gen.ts";
import { NoteGlyph } from "../../timeline/Glyph.tsx";
import { Icon } from "../../ui/Icon.tsx";
import { Menu } from "../../ui/Menu.tsx";
import { fmtClip, fmtMs } from "../../ui/time.ts";
import { noteWord } from "../../words.ts";
import { uuidv7 } from "../uuid.ts";
import { type Draft, emptyDraft, type Moment, nextRange, toNote, write } from "./draft.ts";

export interface ComposerProps {
	/** Those one may choose from; the first is chosen. */
	visibilities: Visibility[];
	now: () => Moment;
	/** Without a clip, notes say the session's time. */
	onClip: boolean;
	onAdd: (n: NoteAdd) => void;
	onTyping?: (typing: boolean) => void;
	/** Text that was typed elsewhere: it is taken, and the field gets the focus. */
	seed: Signal<{ text: string } | null>;
	/** A time that is looked at some times a second, so that the button can say it. */
	slow: Signal<number>;
}

export const visibilityWords: Record<Visibility, { label: string; icon: IconNode }> = {
	shared: { label: "Shared", icon: Users },
	coaches: { label: "For coaches", icon: GraduationCap },
	private: { label: "Only me", icon: LockKeyhole },
};

const types = Object.keys(noteWord) as NoteType[];

export function Composer(p: ComposerProps) {
	const draft = useSignal<Draft>(emptyDraft(p.visibilities[0] ?? "private"));
	const field = useRef<HTMLTextAreaElement>(null);
	const set = (d: Draft) => {
		draft.value = d;
	};
	const d = draft.value;
	const visibility = p.visibilities.includes(d.visibility) ? d.visibility : (p.visibilities[0] ?? "private");

	useEffect(
		() =>
			p.seed.subscribe((s) => {
				if (!s) return;
				p.seed.value = null;
				if (s.text) set(write(draft.peek(), draft.peek().text + s.text, p.now()));
				const el = field.current;
				el?.focus();
				el?.setSelectionRange(el.value.length, el.value.length);
			}),
		[],
	);

	const add = () => {
		const note = toNote({ ...draft.peek(), visibility }, uuidv7(), p.now(), p.onClip);
		if (!note) {
			field.current?.focus();
			return;
		}
		set(emptyDraft(visibility, d.type));
		p.onTyping?.(false);
		p.onAdd(note);
	};

	return (
		<form
			class="composer"
			aria-label="New note"
			onSubmit={(e) => {
				e.preventDefault();
				add();
			}}
		>
			<textarea
				ref={field}
				class="textarea"
				rows={2}
				maxLength={4000}
				aria-label="Write a note"
				placeholder="What did a pupil say or do?"
				value={d.text}
				onInput={(e) => {
					set(write(draft.peek(), e.currentTarget.value, p.now()));
					p.onTyping?.(e.currentTarget.value !== "");
				}}
				onBlur={() => p.onTyping?.(false)}
				onKeyDown={(e) => {
					if (e.key !== "Enter" || e.shiftKey || e.isComposing) return;
					e.preventDefault();
					add();
				}}
			/>
			<div class="composer__row">
				<Menu
					label={`Type: ${noteWord[d.type]}`}
					buttonClass="chip"
					up
					left
					items={types.map((t) => ({
						label: noteWord[t],
						checked: t === d.type,
						onSelect: () => set({ ...draft.peek(), type: t }),
					}))}
				>
					<NoteGlyph type={d.type} />
					{noteWord[d.type]}
					<Icon icon={ChevronDown} size={16} />
				</Menu>
				<Menu
					label={`Who reads it: ${visibilityWords[visibility].label}`}
					buttonClass="chip"
					up
					left
					items={p.visibilities.map((v) => ({
						label: visibilityWords[v].label,
						icon: visibilityWords[v].icon,
						checked: v === visibility,
						onSelect: () => set({ ...draft.peek(), visibility: v }),
					}))}
				>
					<Icon icon={visibilityWords[visibility].icon} size={16} />
					{visibilityWords[visibility].label}
					<Icon icon={ChevronDown} size={16} />
				</Menu>
				<AddButton draft={d} p={p} />
			</div>
			{p.onClip && <RangeButton draft={d} onNext={() => set(nextRange(draft.peek(), p.now().clip))} />}
		</form>
	);
}

function AddButton({ draft: d, p }: { draft: Draft; p: ComposerProps }) {
	void p.slow.value;
	const now = p.now();
	const time = p.onClip ? fmtClip(d.range?.from ?? d.begun?.clip ?? now.clip) : fmtMs(d.begun?.at ?? now.at);
	return (
		<button type="submit" class="btn btn--outline btn--small composer__add">
			Add at <span class="num">{time}</span>
		</button>
	);
}

function RangeButton({ draft: d, onNext }: { draft: Draft; onNext: () => void }) {
	const r = d.range;
	if (!d.text && !r) return null;
	const text = !r
		? "About a moment · make it a stretch from here"
		: r.to === null
			? `From ${fmtClip(r.from)} · to here`
			: `${fmtClip(r.from)} – ${fmtClip(r.to)} · make it a moment`;
	return (
		<button type="button" class="note__small composer__range" onClick={onNext}>
			{text}
		</button>
	);
}
