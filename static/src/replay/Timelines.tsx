/** Two timelines, joined: the conversation's time above, the clip's below. One line leads from now to now. */
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Note, Pause } from "../event.gen.ts";
import { useDrawing } from "../hooks.ts";
import { frameMiddle } from "../sync/line.ts";
import { TickGlyph } from "../timeline/Glyph.tsx";
import { type Group, group, thin } from "../timeline/group.ts";
import { fraction, opening, type Range, rulerTimes, timeAt } from "../timeline/scale.ts";
import { loadSprites, type Sprites, tileAt, tileStyle } from "../timeline/sprites.ts";
import { Avatar } from "../ui/Avatar.tsx";
import { count, fmtClip, fmtClock, fmtDay, sayClip } from "../ui/time.ts";
import { noteWord } from "../words.ts";
import { useReplay } from "./context.ts";
import type { Chapter, Interval } from "./history.ts";
import { clockTimes, curve, HIGH, ribbons, WIDE } from "./joint.ts";
import { Slider } from "./Slider.tsx";
import { lacking, phasesOf, spoken, titleOf, unheard } from "./say.ts";

/** "10:23:05" by the reader's clock. */
function fmtSeconds(at: number): string {
	const [hour, ...rest] = fmtClock(at).split(/(?=[^\d]\D*$)/);
	const s = String(new Date(at).getSeconds()).padStart(2, "0");
	return `${hour}:${s}${rest.join("")}`;
}

const percent = (v: number, w: Range) => `${(fraction(v, w) * 100).toFixed(3)}%`;
const span = (i: Interval, w: Range) => ({
	"--a": percent(Math.max(i.from, w.from), w),
	"--b": percent(Math.min(i.to, w.to), w),
});

export function Timelines() {
	const replay = useReplay();
	const h = replay.history;
	const clip = h.end.clip;
	const talk = useMemo(() => ({ from: 0, to: h.duration }), [h]);
	const range = useMemo(() => (clip ? opening(clip) : null), [clip]);
	const [width, track] = useWidth();
	const root = useRef<HTMLDivElement>(null);
	useHeads(root, talk, range);
	return (
		<section class="replay__time" id="tl" aria-labelledby="tl-h">
			<h2 class="vh" id="tl-h">
				{clip
					? "Two timelines: the conversation above, the clip below, joined where they touch"
					: "The conversation’s timeline"}
			</h2>
			<div class="tl" ref={root}>
				<div class="replay__talk">
					<div class="tl__row">
						<div class="tl__label">{fmtDay(replay.opened)}</div>
						<div class="tl__track ruler" ref={track} aria-hidden="true">
							<ClockRuler width={width} talk={talk} />
						</div>
					</div>
					<Chapters talk={talk} />
					<Lanes talk={talk} />
					{!clip && <TalkNotes talk={talk} width={width} />}
					<div class="tl__over">
						<Slider
							label="Conversation position"
							from={0}
							to={h.duration}
							unit={0.001}
							value={() => replay.conductor.now()}
							say={() => spoken(h, replay.conductor.now(), replay.nameOf)}
							onSeek={(t) => replay.conductor.seek(t)}
						/>
						<div class="replay__head replay__head--talk" aria-hidden="true">
							<span class="replay__chip" />
						</div>
					</div>
				</div>
				{clip && range && (
					<>
						<Joint talk={talk} range={range} />
						<ClipTime range={range} width={width} />
					</>
				)}
			</div>
		</section>
	);
}

function ClockRuler({ width, talk }: { width: number; talk: Range }) {
	const replay = useReplay();
	const times = clockTimes(replay.opened, talk.to, width);
	const seconds = times.length > 1 && times[1]! - times[0]! < 60_000;
	return (
		<>
			{times.map((t) => (
				<span key={t} style={{ "--t": percent(t, talk) }}>
					{seconds ? fmtSeconds(replay.opened + t) : fmtClock(replay.opened + t)}
				</span>
			))}
		</>
	);
}

/** A conversation begins before the clip does. */
const WELCOME = 10_000;

function Chapters({ talk }: { talk: Range }) {
	const replay = useReplay();
	const h = replay.history;
	const now = replay.chapter.value;
	const first = Math.min(h.firstRun ?? talk.to, h.chapters[0]?.from ?? talk.to);
	const welcome = h.end.clip && first >= WELCOME && first < talk.to ? { from: 0, to: first } : null;
	return (
		<div class="tl__row">
			<div class="tl__label">Conversation</div>
			<div class="tl__track replay__chapters">
				{h.chapters.length + Number(welcome !== null) === 0 && <p class="faint t12">No pauses in this conversation</p>}
				<ol>
					{welcome && (
						<li style={span(welcome, talk)}>
							<button type="button" onClick={() => replay.conductor.seek(0)}>
								Welcome
							</button>
						</li>
					)}
					{h.chapters.map((c) => (
						<li key={c.id} class="is-pause" style={span(c, talk)} aria-current={c === now ? "true" : undefined}>
							<button type="button" title={titleOf(c)} onClick={() => replay.conductor.seek(c.from)}>
								<i class="diamond" aria-hidden="true" />
								<span>{titleOf(c)}</span>
							</button>
							{phasesOf(c)
								.slice(1)
								.map((p) => (
									<button
										key={p.word}
										type="button"
										class="replay__turn"
										style={{ "--t": percent(p.from, c) }}
										title={`Pause ${c.number}, ${p.word} from ${fmtClock(replay.opened + p.from)}`}
										aria-label={`Pause ${c.number}, ${p.word} from ${fmtClock(replay.opened + p.from)}`}
										onClick={() => replay.conductor.seek(p.from)}
									/>
								))}
						</li>
					))}
				</ol>
			</div>
		</div>
	);
}

function Lanes({ talk }: { talk: Range }) {
	const replay = useReplay();
	const people = replay.people;
	return (
		<div class="replay__lanes" data-many={people.length > 5 || undefined}>
			{people.map((m) => (
				<div class="tl__row" key={m.id}>
					<div class="tl__label replay__person">
						<Avatar name={m.name} size={20} />
						<span>{m.name}</span>
						{replay.unheard.has(m.id) && <span class="vh">{unheard(replay.unheard.get(m.id)!, replay.opened)}</span>}
					</div>
					<div class="tl__track replay__speech" aria-hidden="true">
						{(replay.history.present.get(m.id) ?? []).map((i) => (
							<u key={i.from} style={span(i, talk)} />
						))}
						<Talk member={m.id} talk={talk} />
						{(replay.unheard.get(m.id) ?? []).map((i) => (
							<s key={i.from} style={span(i, talk)} />
						))}
					</div>
				</div>
			))}
			<OffRecord talk={talk} />
			<Lacking talk={talk} />
		</div>
	);
}

function Talk({ member, talk }: { member: string; talk: Range }) {
	const replay = useReplay();
	const speaks = replay.speaking.value.split(",").includes(member);
	const t = speaks ? replay.conductor.time.peek() : -1;
	return (
		<>
			{(replay.history.speech.get(member) ?? []).map((i) => (
				<i key={i.from} class={i.from <= t && t < i.to ? "now" : undefined} style={span(i, talk)} />
			))}
		</>
	);
}

/** Where nothing was kept, the lanes are hatched. */
function OffRecord({ talk }: { talk: Range }) {
	const { recorded } = useReplay().history;
	if (recorded.length === 0) return null;
	const edges = [{ from: 0, to: 0 }, ...recorded, { from: talk.to, to: talk.to }];
	const gaps = edges.slice(1).map((r, i) => ({ from: edges[i]!.to, to: r.from }));
	return (
		<div class="replay__off" aria-hidden="true">
			{gaps
				.filter((g) => g.to - g.from > 500)
				.map((g) => (
					<i key={g.from} style={span(g, talk)} />
				))}
		</div>
	);
}

/** What was not stored although it was on the record is hatched the other way, with the reason. */
function Lacking({ talk }: { talk: Range }) {
	const replay = useReplay();
	if (replay.missing.length === 0) return null;
	return (
		<ol class="replay__missing" aria-label="What the recording lacks">
			{replay.missing.map((m) => (
				<li key={`${m.from} ${m.reason}`} style={span(m, talk)}>
					<span class="vh">{lacking(m, replay.opened)}</span>
					<i title={lacking(m, replay.opened)} />
				</li>
			))}
		</ol>
	);
}

function Joint({ talk, range }: { talk: Range; range: Range }) {
	const replay = useReplay();
	const clip = replay.history.end.clip!;
	const now = replay.chapter.value?.id;
	const paths = useMemo(() => ribbons(replay.history.pieces, talk, range), [replay, talk, range]);
	return (
		<div class="tl__row replay__joint-row">
			<div class="tl__label">
				Clip <span class="num">{fmtClip(clip.to - clip.from)}</span>
			</div>
			<div class="tl__track replay__joint">
				<svg viewBox={`0 0 ${WIDE} ${HIGH}`} preserveAspectRatio="none" aria-hidden="true">
					{paths.map((r) => (
						<path
							key={r.piece.from}
							class={r.kind === "pause" && r.piece.hold === now ? "pause now" : r.kind}
							d={r.d}
						/>
					))}
					<path class="head" />
				</svg>
				<PauseMarks range={range} />
			</div>
		</div>
	);
}

interface Mark {
	key: string;
	us: number;
	label: string;
	chapters: Chapter[];
}

/** A mark for each place with a pause: those that happened, and those that were prepared and not reached. */
function marksOf(chapters: Chapter[], pauses: Pause[], middle: (frame: number) => number): Mark[] {
	const out: Mark[] = [];
	for (const c of chapters) {
		const same = out.find((m) => m.chapters[0]?.frame === c.frame);
		const label = `Pause ${c.number} of ${chapters.length} at ${fmtClip(c.position, true)}: ${titleOf(c)}`;
		if (same) same.chapters.push(c);
		else out.push({ key: c.id, us: c.position, label, chapters: [c] });
	}
	for (const p of pauses) {
		if (p.proposed || chapters.some((c) => c.frame === p.frame)) continue;
		const us = middle(p.frame);
		out.push({ key: p.id, us, label: `Pause not reached, at ${fmtClip(us, true)}: ${p.prompt}`, chapters: [] });
	}
	return out.sort((a, b) => a.us - b.us);
}

function PauseMarks({ range }: { range: Range }) {
	const replay = useReplay();
	const { chapters, end } = replay.history;
	const marks = useMemo(() => marksOf(chapters, end.pauses, (f) => frameMiddle(f, end.clip!)), [replay]);
	const now = replay.chapter.value;
	return (
		<ol class="replay__marks">
			{marks.map((m) => {
				const state =
					now && m.chapters.includes(now) ? " pause-mark--now" : m.chapters.length ? "" : " pause-mark--past";
				return (
					<li key={m.key}>
						<button
							type="button"
							class={`pause-mark${state}`}
							style={{ "--t": percent(m.us, range) }}
							aria-label={m.label}
							title={m.label}
							onClick={() => {
								const c = m.chapters[0];
								if (c) replay.conductor.seek(c.from);
								else replay.seekClip(m.us);
							}}
						>
							<i />
						</button>
					</li>
				);
			})}
		</ol>
	);
}

function ClipTime({ range, width }: { range: Range; width: number }) {
	const replay = useReplay();
	const { conductor, history } = replay;
	const clip = history.end.clip!;
	const position = () => history.shownAt(conductor.now()).position;
	const onClip = useMemo(() => replay.notes.filter((n) => n.onClip).sort((a, b) => a.from - b.from), [replay]);
	const step = (us: number, by: number) => {
		const before = conductor.now();
		replay.seekClip(us);
		// A place that was never shown leads back to where one is: then the next stretch in that direction.
		if (Math.abs(conductor.now() - before) > 200) return;
		const ahead = history.pieces.find((p) => p.from > before + 200 && p.rate > 0);
		const behind = history.pieces.findLast((p) => p.to < before - 200 && p.rate > 0);
		const to = by > 0 ? ahead?.from : behind?.to;
		if (to !== undefined) conductor.seek(to);
	};
	return (
		<div class="replay__cliptime">
			<div class="tl__row">
				<div class="tl__label" />
				<div class="tl__track strip replay__strip">
					<Thumbs clipId={clip.id} range={range} width={width} />
					{clip.from > range.from && <div class="out" style={span({ from: range.from, to: clip.from }, range)} />}
					{clip.to < range.to && <div class="out" style={span({ from: clip.to, to: range.to }, range)} />}
					<Slider
						label="Clip position"
						from={range.from}
						to={range.to}
						unit={1e-6}
						value={position}
						say={() => sayClip(position())}
						onSeek={(us) => replay.seekClip(us)}
						onStep={step}
					/>
				</div>
			</div>
			<div class="tl__row replay__marks-row">
				<div class="tl__label">
					Notes <span class="num">{replay.notes.length}</span>
				</div>
				<div class="tl__track marks">
					<div class="base" />
					<Ticks notes={onClip} place={(n) => fraction(n.from, range) * width} width={width} on="clip" />
				</div>
			</div>
			<div class="tl__row replay__clipruler">
				<div class="tl__label" />
				<div class="tl__track ruler" aria-hidden="true">
					{rulerTimes(range, width).map((t) => (
						<span key={t} style={{ "--t": percent(t, range) }}>
							{fmtClip(t)}
						</span>
					))}
				</div>
			</div>
			<div class="tl__over">
				<div class="replay__head replay__head--clip" aria-hidden="true">
					<span class="replay__chip" />
				</div>
			</div>
		</div>
	);
}

/** Without a clip the notes stand on the conversation's time. */
function TalkNotes({ talk, width }: { talk: Range; width: number }) {
	const replay = useReplay();
	return (
		<div class="tl__row">
			<div class="tl__label">
				Notes <span class="num">{replay.notes.length}</span>
			</div>
			<div class="tl__track marks">
				<div class="base" />
				<Ticks
					notes={replay.notes}
					place={(n) => fraction(replay.momentOf(n), talk) * width}
					width={width}
					on="conversation"
				/>
			</div>
		</div>
	);
}

interface TicksProps {
	notes: Note[];
	place: (n: Note) => number;
	width: number;
	on: "clip" | "conversation";
}

function Ticks(p: TicksProps) {
	return (
		<ol>
			{p.width > 0 &&
				group(p.notes, p.place, p.width).map((g) => (
					<Tick key={g.marks[0]!.mark.id} group={g} width={p.width} on={p.on} />
				))}
		</ol>
	);
}

function Tick({ group: g, width, on }: { group: Group<Note>; width: number; on: TicksProps["on"] }) {
	const replay = useReplay();
	const notes = g.marks.map((m) => m.mark);
	const first = notes[0]!;
	const when = (n: Note) => (on === "clip" ? fmtClip(n.from) : fmtClock(replay.opened + replay.momentOf(n)));
	const many = notes.length > 1;
	const label = many
		? `${count(notes.length, "note")}, ${when(first)} to ${when(notes.at(-1)!)}`
		: `${noteWord[first.type]} at ${when(first)}`;
	const at = (x: number) => `${((x / width) * 100).toFixed(3)}%`;
	const length = Math.max(1, g.to - g.from);
	return (
		<li>
			<button
				type="button"
				class={many ? "tick tick--group" : "tick"}
				style={many ? { "--a": at(g.from), "--b": at(g.to) } : { "--t": at(g.from) }}
				aria-label={label}
				title={many ? label : `${when(first)} ${first.text.slice(0, 80)}`}
				onClick={() => {
					replay.seekNote(first, on);
					replay.chosen.value = new Set(notes.map((n) => n.id));
				}}
			>
				{thin(g.marks).map((m) => (
					<TickGlyph key={m.mark.id} type={m.mark.type} x={many ? (m.x - g.from) / length : undefined} />
				))}
			</button>
		</li>
	);
}

function Thumbs({ clipId, range, width }: { clipId: string; range: Range; width: number }) {
	const [sprites, set] = useState<Sprites | null>(null);
	useEffect(() => {
		const stop = new AbortController();
		loadSprites(clipId, stop.signal).then((s) => stop.signal.aborted || set(s));
		return () => stop.abort();
	}, [clipId]);
	const ratio = sprites ? sprites.width / sprites.height : 16 / 9;
	const n = Math.max(1, Math.min(60, Math.ceil(width / (48 * ratio))));
	return (
		<div class="thumbs" aria-hidden="true">
			{sprites &&
				width > 0 &&
				Array.from({ length: n }, (_, i) => (
					<i key={i} style={tileStyle(clipId, tileAt(timeAt((i + 0.5) / n, range), sprites), sprites)} />
				))}
		</div>
	);
}

/** A session shorter than this is told to the second, ms. */
const SHORT = 600_000;

/** Between two looks whether a ruler's words are in the way of a head's, ms. */
const MAKE_ROOM = 300;

/** Moves both heads and the line between them, without rendering. */
function useHeads(root: preact.RefObject<HTMLDivElement | null>, talk: Range, range: Range | null): void {
	const replay = useReplay();
	const before = useRef("");
	const made = useRef(Number.NEGATIVE_INFINITY);
	useDrawing(() => {
		const el = root.current;
		if (!el) return;
		const talkHead = el.querySelector<HTMLElement>(".replay__head--talk");
		const clipHead = el.querySelector<HTMLElement>(".replay__head--clip");
		if (performance.now() - made.current > MAKE_ROOM) {
			made.current = performance.now();
			makeRoom(el.querySelectorAll<HTMLElement>(".replay__talk .ruler span"), talkHead);
			makeRoom(el.querySelectorAll<HTMLElement>(".replay__clipruler .ruler span"), clipHead);
		}
		const t = replay.conductor.now();
		const top = fraction(t, talk);
		const us = replay.history.shownAt(t).position;
		const bottom = range ? Math.min(1, Math.max(0, fraction(us, range))) : 0;
		const key = `${top.toFixed(5)} ${bottom.toFixed(5)} ${range?.from} ${range?.to}`;
		if (key === before.current) return;
		before.current = key;
		const short = talk.to < SHORT;
		place(talkHead, top, short ? fmtSeconds(replay.opened + t) : fmtClock(replay.opened + t));
		place(clipHead, bottom, fmtClip(us, true));
		el.querySelector(".replay__joint .head")?.setAttribute("d", curve(top, bottom));
	});
}

/** A ruler's words make room for a head's. */
function makeRoom(words: Iterable<HTMLElement>, head: HTMLElement | null): void {
	const chip = head?.firstElementChild?.getBoundingClientRect();
	if (!chip) return;
	for (const word of words) {
		const box = word.getBoundingClientRect();
		const off = box.right + 4 > chip.left && box.left - 4 < chip.right;
		word.style.visibility = off ? "hidden" : "";
	}
}

function place(head: HTMLElement | null, f: number, text: string): void {
	if (!head) return;
	head.style.left = `${(f * 100).toFixed(3)}%`;
	const chip = head.firstElementChild as HTMLElement;
	chip.style.setProperty("--edge", f < 0.02 ? "-10%" : f > 0.98 ? "-90%" : "-50%");
	if (chip.textContent !== text) chip.textContent = text;
}

function useWidth(): [number, preact.RefObject<HTMLDivElement | null>] {
	const ref = useRef<HTMLDivElement>(null);
	const [width, set] = useState(0);
	useLayoutEffect(() => {
		const el = ref.current;
		if (!el) return;
		const o = new ResizeObserver(() => set(el.clientWidth));
		o.observe(el);
		set(el.clientWidth);
		return () => o.disconnect();
	}, []);
	return [width, ref];
}
