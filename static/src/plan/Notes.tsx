import { LockKeyhole } from "lucide";
import { useEffect, useRef } from "preact/hooks";
import type { NoteKind, PlannedNote } from "../api.ts";
import { NoteGlyph } from "../timeline/Glyph.tsx";
import { Button } from "../ui/Button.tsx";
import { Segmented, Select, TextArea } from "../ui/Field.tsx";
import { Icon } from "../ui/Icon.tsx";
import { fmtClip } from "../ui/time.ts";
import { noteWord } from "../words.ts";

interface NotesProps {
	notes: PlannedNote[];
	/** The one that is being written. */
	open: string | null;
	setOpen: (id: string | null) => void;
	change: (id: string, c: Partial<PlannedNote>) => void;
	remove: (id: string) => void;
	seek: (us: number) => void;
	disabled: boolean;
}

const seen: Record<NonNullable<PlannedNote["visibility"]>, string> = {
	private: "Only me",
	coaches: "Coaches",
	shared: "Everybody",
};

/** One's own notes before the session, by clip time. */
export function Notes(p: NotesProps) {
	const notes = [...p.notes].sort((a, b) => a.from - b.from);
	return (
		<section class="mynotes" aria-labelledby="my-h">
			<div class="mynotes__head">
				<h2 id="my-h">
					Your notes <span class="num">{notes.length}</span>
				</h2>
				<p>
					<Icon icon={LockKeyhole} size={16} />
					Drafts. Only you see them.
				</p>
			</div>
			{notes.length === 0 && <p class="quiet">Watch alone first. Press Note where something strikes you.</p>}
			<ol>
				{notes.map((n) =>
					n.id === p.open ? (
						<Editing key={n.id} note={n} {...p} />
					) : (
						<li class="note" key={n.id} data-type={n.type}>
							<NoteGlyph type={n.type} />
							<div>
								<p class="note__meta">
									<span class="note__type">{noteWord[n.type]}</span>
									{n.visibility && n.visibility !== "private" && (
										<span>{n.visibility === "shared" ? "Shared when it begins" : "For coaches when it begins"}</span>
									)}
									<button
										type="button"
										class="note__time"
										aria-label={`Go to ${fmtClip(n.from)}`}
										onClick={() => p.seek(n.from)}
									>
										{fmtClip(n.from)}
									</button>
								</p>
								<button type="button" class="note__body" disabled={p.disabled} onClick={() => p.setOpen(n.id)}>
									{n.text}
								</button>
							</div>
						</li>
					),
				)}
			</ol>
		</section>
	);
}

function Editing({ note, change, remove, setOpen }: NotesProps & { note: PlannedNote }) {
	const root = useRef<HTMLLIElement>(null);
	useEffect(() => {
		root.current?.querySelector("textarea")?.focus();
		root.current?.scrollIntoView({ block: "nearest" });
	}, []);
	const done = () => {
		if (note.text.trim()) setOpen(null);
		else remove(note.id);
	};
	const keys = (e: KeyboardEvent) => {
		if (e.key === "Escape" || (e.key === "Enter" && (e.ctrlKey || e.metaKey))) {
			e.preventDefault();
			done();
		}
	};
	const kinds = Object.entries(noteWord).map(([value, label]) => ({ value: value as NoteKind, label }));
	return (
		<li class="card note-edit" ref={root} onKeyDown={keys}>
			<TextArea
				label={`Note at ${fmtClip(note.from, true)}`}
				value={note.text}
				onInput={(text) => change(note.id, { text })}
				rows={2}
				maxLength={4000}
			/>
			<div class="two">
				<Select label="Type" value={note.type} options={kinds} onChange={(type) => change(note.id, { type })} />
				<Segmented
					legend="Who reads it, once the session begins"
					value={note.visibility ?? "private"}
					options={(["private", "coaches", "shared"] as const).map((value) => ({ value, label: seen[value] }))}
					onChange={(visibility) => change(note.id, { visibility })}
				/>
			</div>
			<div class="row">
				<Button variant="outline" size="small" onClick={done}>
					Done
				</Button>
				<Button variant="leave" size="small" onClick={() => remove(note.id)}>
					Delete
				</Button>
			</div>
		</li>
	);
}
