/** A list of notes, with replies. It knows no call and no replay: give it notes in the order in which they are shown. */
import { Ellipsis, GraduationCap, LockKeyhole, Pencil, Reply as ReplyIcon, Trash2 } from "lucide";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Note, NoteType, Reply } from "../../event.gen.ts";
import { NoteGlyph } from "../../timeline/Glyph.tsx";
import { Icon } from "../../ui/Icon.tsx";
import { Menu, type MenuItem } from "../../ui/Menu.tsx";
import { fmtClip, fmtMs } from "../../ui/time.ts";
import { noteWord } from "../../words.ts";
import "./notes.css";

export interface NoteActions {
	onEdit?: (n: Note, text: string, type: NoteType) => void;
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
					<Editor note={n} done={() => setMode("read")} save={(text, type) => p.onEdit?.(n, text, type)} />
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

function Editor(p: { note: Note; done: () => void; save: (text: string, type: NoteType) => void }) {
	const [text, setText] = useState(p.note.text);
	const [type, setType] = useState<NoteType>(p.note.type);
	const save = () => {
		if (!text.trim()) return;
		if (text.trim() !== p.note.text || type !== p.note.type) p.save(text.trim(), type);
		p.done();
	};
	return (
		<form class="note__form" onSubmit={prevent(save)}>
			<Area label="Your note" value={text} onInput={setText} onEnter={save} onEscape={p.done} />
			<div class="note__row">
				<select
					class="select"
					aria-label="Type of note"
					value={type}
					onChange={(e) => setType(e.currentTarget.value as NoteType)}
				>
					{types.map((t) => (
						<option key={t} value={t}>
							{noteWord[t]}
						</option>
					))}
				</select>
				<button type="button" class="btn btn--small" onClick={p.done}>
					Cancel
				</button>
				<button type="submit" class="btn btn--outline btn--small">
					Save
				</button>
			</div>
		</form>
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
