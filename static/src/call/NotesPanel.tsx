import { type Signal, useComputed, useSignal } from "@preact/signals";
import { Bookmark, ChevronDown, X } from "lucide";
import { useEffect } from "preact/hooks";
import type { Note, NoteAdd, Visibility } from "../event.gen.ts";
import { useMedia } from "../hooks.ts";
import { Button, IconButton } from "../ui/Button.tsx";
import { Icon } from "../ui/Icon.tsx";
import { Menu } from "../ui/Menu.tsx";
import { toast } from "../ui/Toast.tsx";
import { fmtClip, fmtMs } from "../ui/time.ts";
import { useCall } from "./context.ts";
import { Composer } from "./notes/Composer.tsx";
import type { Change } from "./notes/draft.ts";
import { NoteList } from "./notes/NoteList.tsx";
import type { CallSession } from "./session.ts";
import { useTick } from "./time.ts";
import { uuidv7 } from "./uuid.ts";

/** ms in which a deletion can be taken back: a little longer than it is offered */
const UNDO = 10_500;
/** µs around a note in which it is "now" */
const NEAR = 5_000_000;

export interface NotesPanelProps {
	seed: Signal<{ text: string } | null>;
	/** Notes that were chosen on the timeline. */
	chosen: Signal<string[]>;
	/** On a phone: the sheet is raised. */
	raised: Signal<boolean>;
	/** Where the panel lies over the faces it can be put away. */
	onClose: () => void;
}

type Filter = "all" | "mine";

export function NotesPanel({ seed, chosen, raised, onClose }: NotesPanelProps) {
	const call = useCall();
	const phone = useMedia("(max-width: 720px)");
	const filter = useSignal<Filter>("all");
	const hidden = useDeletion(call);
	const slow = useTick(500);
	const now = useNow(call, slow);
	const all = call.view.value?.notes ?? [];
	const kept = all.filter(
		(n) => !hidden.ids.value.has(n.id) && (filter.value === "all" || n.author === call.you.value),
	);
	const onClip = !!call.view.value?.clip;
	const notes = [...kept].sort((a, b) => (onClip ? b.from - a.from : 0) || b.at - a.at);
	const word = filter.value === "all" ? "Everyone’s" : "Mine";

	const toTime = (n: Note) => {
		chosen.value = [n.id];
		if (n.onClip && call.moves()) call.seek(n.from);
	};

	return (
		<section class="panel card notes-panel" aria-labelledby="notes-h" data-raised={raised.value || undefined}>
			<button
				type="button"
				class="sheet__grip"
				aria-label={raised.value ? "Lower the notes" : "Raise the notes"}
				onClick={() => {
					raised.value = !raised.value;
				}}
			/>
			<div class="panel__head">
				<h2 id="notes-h">Notes</h2>
				<span class="faint num">{kept.length}</span>
				<Menu
					label={`Whose notes: ${word}`}
					buttonClass="btn btn--small btn--quiet notes__filter"
					items={[
						{ label: "Everyone’s", checked: filter.value === "all", onSelect: () => set("all") },
						{ label: "Mine", checked: filter.value === "mine", onSelect: () => set("mine") },
					]}
				>
					{word}
					<Icon icon={ChevronDown} size={16} />
				</Menu>
				<IconButton class="panel__close" icon={X} label="Close notes" onClick={onClose} />
			</div>
			<NoteList
				notes={notes}
				nameOf={(id) => call.member(id)?.name ?? "Somebody"}
				you={call.you.value}
				now={now.value}
				chosen={chosen.value.at(-1) ?? null}
				onTime={toTime}
				visibilities={visibilitiesOf(call)}
				clipNow={onClip ? () => call.clip.position() : undefined}
				onEdit={(n, c) => void edit(call, n, c)}
				onDelete={hidden.remove}
				onReply={call.can("write-shared") ? (n, text) => reply(call, n, text) : undefined}
				onDeleteReply={(n, r) => void call.ask({ type: "reply.remove", data: { note: n.id, id: r.id } })}
				empty={
					filter.value === "mine" ? "You have not written a note yet." : emptySentence(phone, call.can("write-shared"))
				}
			/>
			<Composer
				visibilities={visibilitiesOf(call)}
				now={() => ({ at: call.now(), clip: call.clip.seen() })}
				onClip={onClip}
				onAdd={(n) => void add(call, n)}
				onTyping={(typing) => call.typed(typing ? "note" : "")}
				seed={seed}
				slow={slow}
			/>
			<Button variant="primary" class="mark-btn" icon={Bookmark} onClick={() => mark(call)}>
				Mark this moment
			</Button>
		</section>
	);

	function set(f: Filter) {
		filter.value = f;
	}
}

/** What begins a note here, and who reads it where nobody else does. */
function emptySentence(phone: boolean, shared: boolean): string {
	const how = phone
		? "Mark a moment, or raise this sheet to write."
		: "Start typing anywhere: a note takes the time of its first key.";
	return `No notes yet. ${how}${shared ? "" : " Only you read what you write."}`;
}

export function visibilitiesOf(call: CallSession): Visibility[] {
	const all: Visibility[] = [];
	if (call.can("write-shared")) all.push("shared");
	if (call.can("write-coaches")) all.push("coaches");
	all.push("private");
	return all;
}

/** A mark is a note without words yet. */
export async function mark(call: CallSession): Promise<void> {
	const at = Math.round(call.now());
	const from = Math.round(call.clip.seen());
	const onClip = !!call.view.peek()?.clip;
	const visibility = visibilitiesOf(call)[0] ?? "private";
	const place = onClip ? { onClip, from, to: from } : {};
	const note: NoteAdd = { id: uuidv7(), type: "observation", visibility, text: "", mark: true, at, ...place };
	if (await call.ask({ type: "note.add", data: note })) toast(`Marked at ${onClip ? fmtClip(from) : fmtMs(at)}`);
}

/** A note that was refused is not lost: it can be tried again. */
async function add(call: CallSession, note: NoteAdd): Promise<void> {
	if (await call.ask({ type: "note.add", data: note })) return;
	toast("Your note is not saved yet.", { label: "Try again", run: () => void add(call, note) });
}

async function edit(call: CallSession, n: Note, c: Change): Promise<void> {
	if (await call.ask({ type: "note.edit", data: { id: n.id, ...c } })) return;
	toast("Your change is not saved yet.", { label: "Try again", run: () => void edit(call, n, c) });
}

function reply(call: CallSession, n: Note, text: string): void {
	void call.ask({ type: "note.reply", data: { note: n.id, id: uuidv7(), text } });
}

/** A deleted note is hidden at once and deleted when it is too late to take it back. */
function useDeletion(call: CallSession) {
	const ids = useSignal<ReadonlySet<string>>(new Set());
	const waiting = useSignal(new Map<string, ReturnType<typeof setTimeout>>()).value;
	const show = (id: string) => {
		clearTimeout(waiting.get(id));
		waiting.delete(id);
		ids.value = new Set(waiting.keys());
	};
	const send = (id: string) => {
		waiting.delete(id);
		void call.ask({ type: "note.remove", data: { id } }).then(() => show(id));
	};
	const remove = (n: Note) => {
		waiting.set(
			n.id,
			setTimeout(() => send(n.id), UNDO),
		);
		ids.value = new Set(waiting.keys());
		toast("Your note is deleted.", { label: "Undo", run: () => show(n.id) });
	};
	useEffect(() => {
		const flush = () => {
			for (const [id, timer] of waiting) {
				clearTimeout(timer);
				send(id);
			}
		};
		window.addEventListener("pagehide", flush);
		return () => {
			window.removeEventListener("pagehide", flush);
			flush();
		};
	}, []);
	return { ids, remove };
}

/** Notes at which the clip is: a new set only when it differs. */
function useNow(call: CallSession, slow: Signal<number>) {
	const key = useComputed(() => {
		void slow.value;
		const v = call.view.value;
		if (!v?.clip) return "";
		const at = call.clip.position();
		return v.notes
			.filter((n) => n.onClip && at >= n.from - 500_000 && at <= Math.max(n.to, n.from + NEAR))
			.map((n) => n.id)
			.join(" ");
	});
	const found = useComputed<ReadonlySet<string>>(() => new Set(key.value.split(" ").filter(Boolean)));
	return found;
}
