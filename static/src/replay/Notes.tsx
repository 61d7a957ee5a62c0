/** Notes that follow along, and the answers of each pause where they were shown together. */
import { GraduationCap, LockKeyhole } from "lucide";
import { useEffect, useMemo, useRef } from "preact/hooks";
import "../call/notes/notes.css";
import { promptOf, Which } from "../call/Which.tsx";
import type { Note } from "../event.gen.ts";
import { NoteGlyph } from "../timeline/Glyph.tsx";
import { Avatar } from "../ui/Avatar.tsx";
import { Icon } from "../ui/Icon.tsx";
import { fmtClip, fmtClock, fmtLength } from "../ui/time.ts";
import { noteWord } from "../words.ts";
import { useReplay } from "./context.ts";
import type { Chapter } from "./history.ts";
import { phaseAt, titleOf } from "./say.ts";

type Entry = { key: string; at: number; note: Note } | { key: string; at: number; answers: Chapter };

/** After the list was moved by hand it stays for so long, ms. */
const BY_HAND = 8000;

export function NotesPanel() {
	const replay = useReplay();
	const chapter = replay.chapter.value;
	const entries = useMemo<Entry[]>(() => {
		const notes: Entry[] = replay.notes.map((note) => ({ key: note.id, at: replay.momentOf(note), note }));
		const answers: Entry[] = replay.history.chapters
			.filter((c) => c.revealedAt !== null && c.answers.length > 0)
			.map((c) => ({ key: c.id, at: c.revealedAt!, answers: c }));
		return [...notes, ...answers].sort((a, b) => a.at - b.at);
	}, [replay]);
	const list = useFollowing(entries);
	return (
		<section class="panel card replay__panel" aria-labelledby="notes-h">
			{chapter ? (
				<Card chapter={chapter} />
			) : (
				<div class="panel__head">
					<h2 id="notes-h">Notes</h2>
				</div>
			)}
			{entries.length === 0 ? (
				<p class="notes notes--empty quiet">Nobody wrote a note that you may read.</p>
			) : (
				// biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls can be reached by keyboard
				<ol class="notes" ref={list} tabIndex={0} aria-label="Notes and answers">
					{entries.map((e) =>
						"note" in e ? <Item key={e.key} note={e.note} /> : <Answers key={e.key} of={e.answers} />,
					)}
				</ol>
			)}
		</section>
	);
}

/** What the card of a pause said in the call. */
function Card({ chapter }: { chapter: Chapter }) {
	const replay = useReplay();
	const began = useMemo(
		() => replay.events.find((e) => e.type === "hold.began" && e.data.hold.id === chapter.id),
		[replay, chapter],
	);
	const view = useMemo(() => replay.history.viewAt(began?.at ?? 0), [replay, began]);
	if (began?.type !== "hold.began") return null;
	const hold = began.data.hold;
	const think = hold.think > 0 ? `${fmtLength(hold.think)} to think` : "";
	const talk = hold.talk > 0 ? `${fmtLength(hold.talk)} to talk` : "";
	return (
		<div class="replay__card">
			<p>
				<i class="diamond" />
				<Which view={view} hold={hold} />
			</p>
			<h2 id="notes-h">{promptOf(hold)}</h2>
			<p class="quiet">
				<Phase chapter={chapter} />
				{[think, talk].filter(Boolean).map((s) => ` · ${s}`)}
			</p>
		</div>
	);
}

/** Everybody thinks alone, and then they talk. */
function Phase({ chapter }: { chapter: Chapter }) {
	const word = phaseAt(chapter, useReplay().conductor.time.value);
	return <b>{word.charAt(0).toUpperCase() + word.slice(1)}</b>;
}

/** Keeps what was written last in sight, unless the list was just moved by hand. */
function useFollowing(entries: Entry[]) {
	const replay = useReplay();
	const ref = useRef<HTMLOListElement>(null);
	const byHand = useRef(Number.NEGATIVE_INFINITY);
	const shown = useRef("");
	useEffect(() => {
		const el = ref.current;
		if (!el) return;
		const moved = () => {
			byHand.current = performance.now();
		};
		for (const type of ["wheel", "touchmove", "keydown"]) el.addEventListener(type, moved, { passive: true });
		return () => {
			for (const type of ["wheel", "touchmove", "keydown"]) el.removeEventListener(type, moved);
		};
	}, []);
	useEffect(
		() =>
			replay.conductor.time.subscribe((t) => {
				const last = entries.findLast((e) => e.at - 1500 <= t);
				const key = last?.key ?? entries[0]?.key ?? "";
				if (key === shown.current || performance.now() - byHand.current < BY_HAND) return;
				const first = shown.current === "";
				shown.current = key;
				bring(ref.current, key, first);
			}),
		[entries],
	);
	return ref;
}

/** Scrolls the list alone, never the page. */
function bring(list: HTMLElement | null, key: string, atOnce: boolean): void {
	const el = list?.querySelector<HTMLElement>(`[data-entry="${CSS.escape(key)}"]`);
	if (!list || !el) return;
	const top = el.offsetTop - Math.max(0, (list.clientHeight - el.offsetHeight) / 3);
	const calm = atOnce || matchMedia("(prefers-reduced-motion: reduce)").matches;
	list.scrollTo({ top, behavior: calm ? "instant" : "smooth" });
}

function Item({ note: n }: { note: Note }) {
	const replay = useReplay();
	const now = replay.notesNow.value.split(",").includes(n.id) || replay.chosen.value.has(n.id);
	const at = fmtClock(replay.opened + replay.momentOf(n));
	const place = fmtClip(n.from);
	const range = n.to > n.from ? `${place} – ${fmtClip(n.to)}` : place;
	const ahead = n.at === 0 && n.written === 0;
	const cls = ["note", now ? "note--now" : "", n.visibility === "shared" ? "" : "note--private"];
	return (
		<li
			class={cls.filter(Boolean).join(" ")}
			data-type={n.type}
			data-entry={n.id}
			aria-current={now ? "true" : undefined}
		>
			<NoteGlyph type={n.type} />
			<div>
				<div class="note__meta">
					<span class="who">{n.author === replay.you ? "You" : replay.nameOf(n.author)}</span>
					<span class="note__type">{n.mark && !n.text ? "Mark" : noteWord[n.type]}</span>
					{n.visibility === "private" && <Icon icon={LockKeyhole} size={16} label="Only you can read this" />}
					{n.visibility === "coaches" && <Icon icon={GraduationCap} size={16} label="For coaches and facilitators" />}
					<span class="replay__both">
						{n.onClip && (
							<button
								type="button"
								class="note__time"
								aria-label={`Go to ${place} in the clip`}
								onClick={() => replay.seekNote(n, "clip")}
							>
								{range}
							</button>
						)}
						{ahead ? (
							<span class="note__time note__time--still">beforehand</span>
						) : (
							<button
								type="button"
								class="note__time"
								aria-label={`Go to ${at} in the conversation`}
								onClick={() => replay.seekNote(n, "conversation")}
							>
								{at}
							</button>
						)}
					</span>
				</div>
				{n.text && <p class="note__text">{n.text}</p>}
				{n.replies.length > 0 && (
					<ul class="note__replies">
						{n.replies.map((r) => (
							<li key={r.id}>
								<span class="who">{r.author === replay.you ? "You" : replay.nameOf(r.author)}</span> {r.text}
							</li>
						))}
					</ul>
				)}
			</div>
		</li>
	);
}

function Answers({ of: c }: { of: Chapter }) {
	const replay = useReplay();
	const at = fmtClock(replay.opened + c.revealedAt!);
	return (
		<li class="note replay__shown" data-entry={c.id}>
			<div class="note__meta">
				<span class="who">Answers, shown together</span>
				<span class="replay__both">
					<button
						type="button"
						class="note__time"
						aria-label={`Go to ${at} in the conversation`}
						onClick={() => replay.conductor.seek(c.revealedAt!)}
					>
						{at}
					</button>
				</span>
			</div>
			{replay.chapter.value?.id !== c.id && <p class="replay__asked">{titleOf(c)}</p>}
			<ul class="replay__answers">
				{c.answers.map((a) => (
					<li key={a.member}>
						<Avatar name={replay.nameOf(a.member)} size={20} />
						<p>
							<span class="vh">{replay.nameOf(a.member)}: </span>
							{a.text}
						</p>
					</li>
				))}
			</ul>
		</li>
	);
}
