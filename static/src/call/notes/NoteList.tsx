/** A list of notes, with replies. It knows no call and no replay: give it notes in the order in which they are shown. */
import { Ellipsis, GraduationCap, LockKeyhole, Pencil, Reply as ReplyIcon, Trash2 } from "lucide";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Note, NoteType, Reply, Visibility } from "../../event.gen.ts";
import { NoteGlyph } from "../../timeline/Glyph.tsx";
import { Icon } from "../../ui/Icon.tsx";
import { Menu, type MenuItem } from "../../ui/Menu.tsx";
import { fmtClip, fmtMs } from "../../ui/time.ts";
import { noteWord } from "../../words.ts";
import { visibilityWords } from "./Composer.tsx";
import { type Change, changed, changeOf, momentOf, stretch } from "./draft.ts";
import "./notes.css";

export interface NoteActions {
	onEdit?: (n: Note, c: Change) => void;
	onDelete?: (n: Note) => void;
	onReply?: (n: Note, text: string) => void;
	onDeleteReply?: (n: Note, r: Reply) => void;
}

export interface NoteListProps extends NoteActions {
	notes: Note[];
	/** A member's name; your own notes say "You". */
	nameOf: (member: string) => string;
	you: string;
	/** Ids of notes at which the clip is just now. */
	now?: ReadonlySet<string>;
	/** The note that was chosen on the timeline: it is scrolled to. */
	chosen?: string | null;
	/** Absent where times lead nowhere. */
	onTime?: (n: Note) => void;
	/** Shows the conversation's time too, after the clip's. */
	bothTimes?: boolean;
	/** Who may read a note that is edited; the reader chooses among these. */
	visibilities: Visibility[];
	/** Clip time now, µs; absent where a note is about no clip. */
	clipNow?: () => number;
	empty: preact.ComponentChildren;
}

export function NoteList(p: NoteListProps) {
	const list = useRef<HTMLOListElement>(null);
	useEffect(() => {
		if (!p.chosen) return;
		const el = list.current?.querySelector<HTMLElement>(`[data-note="${CSS.escape(p.chosen)}"]`);
		el?.scrollIntoView({ block: "nearest" });
	}, [p.chosen]);
	if (p.notes.length === 0) return <div class="notes notes--empty quiet">{p.empty}</div>;
	return (
		<ol class="notes" ref={list}>
			{p.notes.map((n) => (
				<Item key={n.id} note={n} p={p} />
			))}
		</ol>
	);
}

function Item({ note: n, p }: { note: Note; p: NoteListProps }) {
	const [mode, setMode] = useState<"read" | "edit" | "reply">("read");
	const mine = n.author === p.you;
	const cls = [
		"note",
		p.now?.has(n.id) || p.chosen === n.id ? "note--now" : "",
		n.visibility === "shared" ? "" : "note--private",
	];
	return (
		<li class={cls.filter(Boolean).join(" ")} data-type={n.type} data-note={n.id}>
			<NoteGlyph type={n.type} />
			<div>
				<div class="note__meta">
					<span class="who">{mine ? "You" : p.nameOf(n.author)}</span>
					<span class="note__type">{n.mark && !n.text ? "Mark" : noteWord[n.type]}</span>
					<Visible note={n} />
					<Time note={n} p={p} />
					<More note={n} mine={mine} p={p} setMode={setMode} />
				</div>
				{mode === "edit" ? (
					<Editor note={n} p={p} done={() => setMode("read")} save={(c) => p.onEdit?.(n, c)} />
				) : (
					n.text && <p class="note__text">{n.text}</p>
				)}
				{n.replies.length > 0 && (
					<ul class="note__replies">
						{n.replies.map((r) => (
							<li key={r.id}>
								<span class="who">{r.author === p.you ? "You" : p.nameOf(r.author)}</span> {r.text}
								{r.author === p.you && p.onDeleteReply && (
									<button type="button" class="note__small" onClick={() => p.onDeleteReply?.(n, r)}>
										Delete<span class="vh"> your reply</span>
									</button>
								)}
							</li>
						))}
					</ul>
				)}
				{mode === "reply" && <ReplyField done={() => setMode("read")} save={(text) => p.onReply?.(n, text)} />}
			</div>
		</li>
	);
}

function Visible({ note }: { note: Note }) {
	if (note.visibility === "private") return <Icon icon={LockKeyhole} size={16} label="Only you can read this" />;
	if (note.visibility === "coaches")
		return <Icon icon={GraduationCap} size={16} label="For coaches and facilitators" />;
	return null;
}

function Time({ note: n, p }: { note: Note; p: NoteListProps }) {
	const clip = n.to > n.from ? `${fmtClip(n.from)} – ${fmtClip(n.to)}` : fmtClip(n.from);
	const text = n.onClip ? clip : fmtMs(n.at);
	return (
		<>
			{p.onTime ? (
				<button type="button" class="note__time" aria-label={`Go to ${text}`} onClick={() => p.onTime?.(n)}>
					{text}
				</button>
			) : (
				<span class="note__time note__time--still">{text}</span>
			)}
			{p.bothTimes && n.onClip && <span class="faint num">{fmtMs(n.at)}</span>}
		</>
	);
}

function More(p: { note: Note; mine: boolean; p: NoteListProps; setMode: (m: "edit" | "reply") => void }) {
	const items: MenuItem[] = [];
	if (p.p.onReply) items.push({ label: "Reply", icon: ReplyIcon, onSelect: () => p.setMode("reply") });
	if (p.mine && p.p.onEdit) items.push({ label: "Edit", icon: Pencil, onSelect: () => p.setMode("edit") });
	if (p.mine && p.p.onDelete) {
		items.push({ label: "Delete", icon: Trash2, danger: true, onSelect: () => p.p.onDelete?.(p.note) });
	}
	if (items.length === 0) return null;
	return (
		<Menu label="More for this note" items={items} buttonClass="note__more">
			<Icon icon={Ellipsis} size={16} />
		</Menu>
	);
}

const types = Object.keys(noteWord) as NoteType[];

interface EditorProps {
	note: Note;
	p: NoteListProps;
	done: () => void;
	save: (c: Change) => void;
}

function Editor({ note: n, p, done, save: send }: EditorProps) {
	const [c, setC] = useState<Change>(() => changeOf(n));
	const set = (some: Partial<Change>) => setC({ ...c, ...some });
	const save = () => {
		if (!c.text.trim() && !n.mark) return;
		if (changed(c, n)) send({ ...c, text: c.text.trim() });
		done();
	};
	const who = p.visibilities.includes(n.visibility) ? p.visibilities : [...p.visibilities, n.visibility];
	return (
		<form class="note__form" onSubmit={prevent(save)}>
			<Area label="Your note" value={c.text} onInput={(text) => set({ text })} onEnter={save} onEscape={done} />
			{c.onClip && p.clipNow && <When change={c} set={set} clipNow={p.clipNow} />}
			<div class="note__row">
				<select
					class="select"
					aria-label="Type of note"
					value={c.type}
					onChange={(e) => set({ type: e.currentTarget.value as NoteType })}
				>
					{types.map((t) => (
						<option key={t} value={t}>
							{noteWord[t]}
						</option>
					))}
				</select>
				<select
					class="select"
					aria-label="Who reads it"
					value={c.visibility}
					onChange={(e) => set({ visibility: e.currentTarget.value as Visibility })}
				>
					{who.map((v) => (
						<option key={v} value={v}>
							{visibilityWords[v].label}
						</option>
					))}
				</select>
			</div>
			<div class="note__row note__row--end">
				<button type="button" class="btn btn--small" onClick={done}>
					Cancel
				</button>
				<button type="submit" class="btn btn--outline btn--small">
					Save
				</button>
			</div>
		</form>
	);
}

/** The note's place on the clip: a moment, or a stretch between two. */
function When(p: { change: Change; set: (c: Partial<Change>) => void; clipNow: () => number }) {
	const { from, to } = p.change;
	const range = to > from;
	return (
		<div class="note__when">
			<span class="num">{range ? `${fmtClip(from)} – ${fmtClip(to)}` : fmtClip(from)}</span>
			<button type="button" class="note__small" onClick={() => p.set(stretch(p.change, "from", p.clipNow()))}>
				Begin here
			</button>
			<button type="button" class="note__small" onClick={() => p.set(stretch(p.change, "to", p.clipNow()))}>
				End here
			</button>
			{range && (
				<button type="button" class="note__small" onClick={() => p.set(momentOf(p.change))}>
					Only the moment
				</button>
			)}
		</div>
	);
}

function ReplyField(p: { done: () => void; save: (text: string) => void }) {
	const [text, setText] = useState("");
	const save = () => {
		if (text.trim()) p.save(text.trim());
		p.done();
	};
	return (
		<form class="note__form" onSubmit={prevent(save)}>
			<Area label="Your reply" value={text} onInput={setText} onEnter={save} onEscape={p.done} />
			<div class="note__row">
				<button type="button" class="btn btn--small" onClick={p.done}>
					Cancel
				</button>
				<button type="submit" class="btn btn--outline btn--small">
					Reply
				</button>
			</div>
		</form>
	);
}

interface AreaProps {
	label: string;
	value: string;
	onInput: (v: string) => void;
	onEnter: () => void;
	onEscape: () => void;
}

function Area(p: AreaProps) {
	const ref = useRef<HTMLTextAreaElement>(null);
	useEffect(() => ref.current?.focus(), []);
	return (
		<textarea
			ref={ref}
			class="textarea"
			rows={2}
			maxLength={4000}
			aria-label={p.label}
			value={p.value}
			onInput={(e) => p.onInput(e.currentTarget.value)}
			onKeyDown={(e) => {
				if (e.key === "Enter" && !e.shiftKey && !e.isComposing) {
					e.preventDefault();
					p.onEnter();
				} else if (e.key === "Escape") {
					e.stopPropagation();
					p.onEscape();
				}
			}}
		/>
	);
}

function prevent(run: () => void) {
	return (e: Event) => {
		e.preventDefault();
		run();
	};
}
