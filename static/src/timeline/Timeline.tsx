/**
 * The clip's timeline: strip of thumbnails with the chosen range, prepared pauses, notes, ruler, overview, playhead.
 * Only what is in view is drawn. The playhead is moved by animation frames and transforms, without rendering anything.
 * It knows no call and no replay: give it marks, a function that tells the position, and what a seek does.
 */
import { Minus, Plus } from "lucide";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Clip, Note, Pause } from "../event.gen.ts";
import { useDrawing } from "../hooks.ts";
import { frameMiddle } from "../sync/line.ts";
import { IconButton } from "../ui/Button.tsx";
import { count, fmtClip, sayClip } from "../ui/time.ts";
import { noteWord } from "../words.ts";
import { coalesce } from "./coalesce.ts";
import { TickGlyph } from "./Glyph.tsx";
import { type Group, group, thin } from "./group.ts";
import { follow, fraction, opening, pan, type Range, rulerTimes, timeAt, zoom } from "./scale.ts";
import { loadSprites, type Sprites, tileAt, tileStyle } from "./sprites.ts";
import "./timeline.css";

export type TimelineClip = Pick<Clip, "id" | "duration" | "from" | "to" | "fpsNum" | "fpsDen">;

export interface TimelineProps {
	clip: TimelineClip;
	pauses: Pause[];
	notes: Note[];
	/** Clip time that is shown now, µs. Called with every animation frame. */
	position: () => number;
	/** Absent where the reader does not drive: then it cannot be dragged. Coalesced; `final` is the last of a drag. */
	onSeek?: (us: number, final: boolean) => void;
	onPause?: (p: Pause) => void;
	/** Offered beside the pauses where it is given. */
	onAddPause?: () => void;
	addPauseLabel?: string;
	/** One note, or several that share a target. */
	onNotes?: (notes: Note[]) => void;
	/** The pause that is happening. */
	holding?: string;
}

/** ms between two seeks of one drag */
const SCRUB = 120;

export function Timeline(p: TimelineProps) {
	const { clip } = p;
	const [win, setWin] = useState<Range>(() => opening(clip));
	const [width, height, track] = useSize();
	const sprites = useSprites(clip.id);
	const place = (us: number) => fraction(us, win) * width;
	const latest = useRef({ win, width, p });
	latest.current = { win, width, p };

	const zoomBy = (by: number, around?: number) =>
		setWin((w) => zoom(w, by, around ?? Math.min(Math.max(p.position(), w.from), w.to), clip.duration));
	const whole = win.to - win.from >= clip.duration;

	return (
		<div class="tl">
			<div class="tl__row tl__row--ruler">
				<div class="tl__label">
					<span class="zoom">
						<IconButton icon={Minus} label="Zoom out" onClick={() => zoomBy(1 / 1.6)} disabled={whole} />
						<IconButton icon={Plus} label="Zoom in" onClick={() => zoomBy(1.6)} />
					</span>
				</div>
				<Ruler win={win} width={width} />
			</div>
			<Row label="Clip" value={fmtClip(clip.duration)}>
				<div class="tl__track strip" ref={track}>
					<Strip clip={clip} win={win} width={width} height={height} sprites={sprites} />
				</div>
			</Row>
			<Row
				label="Pauses"
				value={String(p.pauses.length)}
				act={
					p.onAddPause && (
						<IconButton
							icon={Plus}
							size="small"
							label={p.addPauseLabel ?? "Prepare a pause here"}
							onClick={p.onAddPause}
						/>
					)
				}
			>
				<Pauses pauses={p.pauses} clip={clip} win={win} onPause={p.onPause} holding={p.holding} />
			</Row>
			<Row label="Notes" value={String(p.notes.length)} name="marks">
				<Ticks notes={p.notes} place={place} width={width} onNotes={p.onNotes} />
			</Row>
			<div class="tl__row tl__row--overview">
				<div class="tl__label" />
				<Overview clip={clip} win={win} pauses={p.pauses} onMove={(w) => setWin(w)} />
			</div>
			<div class="tl__over">
				<Seek
					latest={latest}
					follow={(us) => setWin((w) => follow(w, us, clip.duration))}
					onZoom={zoomBy}
					onPan={(px) => setWin((w) => pan(w, (px / width) * (w.to - w.from), clip.duration))}
				/>
				<Playhead latest={latest} follow={(us) => setWin((w) => follow(w, us, clip.duration))} />
			</div>
		</div>
	);
}

function Row(p: {
	label: string;
	value: string;
	name?: string;
	act?: preact.ComponentChildren;
	children: preact.ComponentChildren;
}) {
	return (
		<div class={p.name ? `tl__row tl__row--${p.name}` : "tl__row"}>
			<div class="tl__label">
				{p.label} {p.act}
				<span class="num">{p.value}</span>
			</div>
			{p.children}
		</div>
	);
}

const percent = (us: number, w: Range) => `${(fraction(us, w) * 100).toFixed(3)}%`;
const span = (from: number, to: number, w: Range) => ({
	"--a": percent(Math.max(from, w.from), w),
	"--b": percent(Math.min(to, w.to), w),
});

function Strip(p: { clip: TimelineClip; win: Range; width: number; height: number; sprites: Sprites | null }) {
	const { clip, win } = p;
	const ratio = p.sprites ? p.sprites.width / p.sprites.height : 16 / 9;
	const n = Math.max(1, Math.min(60, Math.round(p.width / (Math.max(24, p.height) * ratio))));
	return (
		<>
			<div class="thumbs" aria-hidden="true">
				{p.sprites &&
					p.width > 0 &&
					Array.from({ length: n }, (_, i) => (
						<i key={i} style={tileStyle(clip.id, tileAt(timeAt((i + 0.5) / n, win), p.sprites!), p.sprites!)} />
					))}
			</div>
			{clip.from > win.from && <div class="out" style={span(win.from, clip.from, win)} />}
			{clip.to < win.to && <div class="out" style={span(clip.to, win.to, win)} />}
			<div class="range" style={span(clip.from, clip.to, win)} />
		</>
	);
}

function Ruler({ win, width }: { win: Range; width: number }) {
	return (
		<div class="tl__track ruler" aria-hidden="true">
			{rulerTimes(win, width).map((t) => (
				<span key={t} style={{ "--t": percent(t, win) }}>
					{fmtClip(t)}
				</span>
			))}
		</div>
	);
}

function Pauses(p: {
	pauses: Pause[];
	clip: TimelineClip;
	win: Range;
	onPause?: (p: Pause) => void;
	holding?: string;
}) {
	const { win } = p;
	const at = (q: Pause) => frameMiddle(q.frame, p.clip);
	const margin = (win.to - win.from) * 0.02;
	return (
		<div class="tl__track pauses">
			<ol>
				{p.pauses.map((q, i) => {
					const t = at(q);
					const next = p.pauses[i + 1];
					const end = Math.min(win.to, next ? at(next) : win.to);
					if (t < win.from - margin || t > win.to + margin) return null;
					const state =
						q.id === p.holding
							? " pause-mark--now"
							: q.proposed
								? " pause-mark--proposed"
								: q.passed
									? " pause-mark--past"
									: "";
					const proposed = q.proposed ? ", proposed" : "";
					return (
						<li key={q.id}>
							<button
								type="button"
								class={`pause-mark${state}`}
								style={{ "--t": percent(t, win) }}
								aria-label={`Pause ${i + 1} of ${p.pauses.length} at ${fmtClip(t, true)}${proposed}: ${q.prompt}`}
								title={`${fmtClip(t, true)} ${q.prompt}`}
								onClick={() => p.onPause?.(q)}
							>
								<i />
							</button>
							<span class="prompt" style={{ "--a": percent(t, win), "--b": percent(end, win) }} aria-hidden="true">
								{q.prompt}
							</span>
						</li>
					);
				})}
			</ol>
		</div>
	);
}

function Ticks(p: { notes: Note[]; place: (us: number) => number; width: number; onNotes?: (n: Note[]) => void }) {
	const onClip = useMemo(() => p.notes.filter((n) => n.onClip).sort((a, b) => a.from - b.from), [p.notes]);
	const groups = group(onClip, (n) => p.place(n.from), p.width);
	return (
		<div class="tl__track marks">
			<div class="base" />
			<ol>
				{p.width > 0 &&
					groups.map((g) => <Tick key={g.marks[0]!.mark.id} group={g} width={p.width} onNotes={p.onNotes} />)}
			</ol>
		</div>
	);
}

function Tick({ group: g, width, onNotes }: { group: Group<Note>; width: number; onNotes?: (n: Note[]) => void }) {
	const notes = g.marks.map((m) => m.mark);
	const first = notes[0]!;
	const open = () => onNotes?.(notes);
	const at = (x: number) => `${((x / width) * 100).toFixed(3)}%`;
	if (notes.length === 1) {
		const name = `${noteWord[first.type]} at ${fmtClip(first.from)}`;
		return (
			<li>
				<button
					type="button"
					class="tick"
					style={{ "--t": at(g.from) }}
					aria-label={name}
					title={tip(first)}
					onClick={open}
				>
					<TickGlyph type={first.type} />
				</button>
			</li>
		);
	}
	const name = `${count(notes.length, "note")}, ${fmtClip(first.from)} to ${fmtClip(notes.at(-1)!.from)}`;
	const length = Math.max(1, g.to - g.from);
	return (
		<li>
			<button
				type="button"
				class="tick tick--group"
				style={{ "--a": at(g.from), "--b": at(g.to) }}
				aria-label={name}
				title={name}
				onClick={open}
			>
				{thin(g.marks).map((m) => (
					<TickGlyph key={m.mark.id} type={m.mark.type} x={(m.x - g.from) / length} />
				))}
			</button>
		</li>
	);
}

function tip(n: Note): string {
	return `${fmtClip(n.from)} ${n.text.slice(0, 80)}`;
}

function Overview(p: { clip: TimelineClip; win: Range; pauses: Pause[]; onMove: (w: Range) => void }) {
	const all = { from: 0, to: p.clip.duration };
	const whole = p.win.to - p.win.from >= p.clip.duration;
	return (
		<div
			class="tl__track overview"
			aria-hidden="true"
			onPointerDown={(e) => {
				if (whole) return;
				const box = e.currentTarget.getBoundingClientRect();
				const at = timeAt((e.clientX - box.left) / box.width, all);
				p.onMove(pan(p.win, at - (p.win.from + p.win.to) / 2, p.clip.duration));
			}}
		>
			<div class="all" />
			{!whole && <div class="win" style={span(p.win.from, p.win.to, all)} />}
			{p.pauses.map((q) => (
				<i class="p" key={q.id} style={{ "--t": percent(frameMiddle(q.frame, p.clip), all) }} />
			))}
		</div>
	);
}

type Latest = { current: { win: Range; width: number; p: TimelineProps } };

/** The slider: drag, keys, and the position spoken. Its value is written without rendering. */
interface SeekProps {
	latest: Latest;
	follow: (us: number) => void;
	onZoom: (by: number, around: number) => void;
	onPan: (px: number) => void;
}

function Seek({ latest, follow: show, onZoom, onPan }: SeekProps) {
	const ref = useRef<HTMLDivElement>(null);
	const { clip, onSeek } = latest.current.p;
	const scrub = useMemo(() => coalesce((us: number) => latest.current.p.onSeek?.(us, false), SCRUB), []);
	const dragging = useRef(false);
	useEffect(() => () => scrub.cancel(), []);
	useEffect(() => {
		const speak = () => {
			const el = ref.current;
			if (!el) return;
			const us = latest.current.p.position();
			const s = (us / 1e6).toFixed(1);
			if (el.getAttribute("aria-valuenow") === s) return;
			el.setAttribute("aria-valuenow", s);
			el.setAttribute("aria-valuetext", `${sayClip(us)} of ${sayClip(clip.duration, false)}`);
		};
		speak();
		const timer = setInterval(speak, 500);
		return () => clearInterval(timer);
	}, [clip.duration]);

	const at = (e: PointerEvent) => {
		const box = ref.current!.getBoundingClientRect();
		const f = Math.min(1, Math.max(0, (e.clientX - box.left) / box.width));
		return Math.min(Math.max(timeAt(f, latest.current.win), clip.from), clip.to);
	};
	const end = (e: PointerEvent) => {
		if (!dragging.current) return;
		dragging.current = false;
		scrub.cancel();
		latest.current.p.onSeek?.(at(e), true);
	};
	const onKeyDown = (e: KeyboardEvent) => {
		const frame = (1e6 * clip.fpsDen) / clip.fpsNum;
		const by: Record<string, number> = {
			ArrowLeft: e.shiftKey ? -10e6 : -1e6,
			ArrowRight: e.shiftKey ? 10e6 : 1e6,
			ArrowDown: -frame,
			ArrowUp: frame,
			PageDown: -30e6,
			PageUp: 30e6,
		};
		const now = latest.current.p.position();
		const to =
			e.key === "Home" ? clip.from : e.key === "End" ? clip.to : by[e.key] === undefined ? null : now + by[e.key]!;
		if (to === null || !onSeek || e.ctrlKey || e.metaKey || e.altKey) return;
		e.preventDefault();
		e.stopPropagation();
		const us = Math.min(Math.max(to, clip.from), clip.to);
		show(us);
		onSeek(us, true);
	};
	return (
		<div
			ref={ref}
			class="seek"
			role="slider"
			tabIndex={0}
			aria-label="Clip position"
			aria-valuemin={0}
			aria-valuemax={clip.duration / 1e6}
			aria-valuenow={0}
			aria-readonly={onSeek ? undefined : true}
			data-still={onSeek ? undefined : true}
			onKeyDown={onKeyDown}
			onWheel={(e) => {
				const box = e.currentTarget.getBoundingClientRect();
				wheel(e, timeAt((e.clientX - box.left) / box.width, latest.current.win), onZoom, onPan);
			}}
			onPointerDown={(e) => {
				if (!onSeek || e.button !== 0) return;
				dragging.current = true;
				ref.current?.setPointerCapture(e.pointerId);
				scrub.push(at(e));
			}}
			onPointerMove={(e) => dragging.current && scrub.push(at(e))}
			onPointerUp={end}
			onPointerCancel={end}
		/>
	);
}

function Playhead({ latest, follow: show }: { latest: Latest; follow: (us: number) => void }) {
	const head = useRef<HTMLDivElement>(null);
	const time = useRef<HTMLSpanElement>(null);
	const last = useRef("");
	const before = useRef(Number.NaN);
	useDrawing(() => {
		const { win, width, p } = latest.current;
		const us = p.position();
		const f = fraction(us, win);
		const x = Math.round(f * width); // what moves less is not worth a picture
		const text = fmtClip(us, true);
		const key = `${x} ${width} ${text}`;
		if (key === last.current || !head.current) return;
		last.current = key;
		head.current.style.transform = `translateX(${x}px)`;
		head.current.hidden = f < 0 || f > 1;
		if (time.current && time.current.textContent !== text) time.current.textContent = text;
		head.current.closest(".tl")?.querySelector<HTMLElement>(".strip")?.style.setProperty("--played", `${x}px`);
		// It plays out of view, or was moved there: show it again. Whoever looks elsewhere by hand is left alone.
		const was = before.current;
		if ((f < 0 || f > 0.98) && Math.abs(us - was) < 2e6 && was !== us && fraction(was, win) <= 0.98) show(us);
		before.current = us;
	});
	return (
		<div class="playhead playhead--moved" ref={head} aria-hidden="true">
			<span class="playhead__time" ref={time} />
		</div>
	);
}

/** Ctrl or pinch zooms; sideways pans; up and down zooms too, since there is nothing to scroll. */
function wheel(
	e: WheelEvent,
	at: number,
	zoomBy: (by: number, around: number) => void,
	panBy: (px: number) => void,
): void {
	e.preventDefault();
	if (Math.abs(e.deltaX) > Math.abs(e.deltaY) || e.shiftKey) panBy(e.deltaX || e.deltaY);
	else zoomBy(Math.exp(-e.deltaY * 0.002), at);
}

function useSize(): [number, number, preact.RefObject<HTMLDivElement | null>] {
	const ref = useRef<HTMLDivElement>(null);
	const [size, set] = useState<[number, number]>([0, 0]);
	useLayoutEffect(() => {
		const el = ref.current;
		if (!el) return;
		const measure = () =>
			set((old) => (old[0] === el.clientWidth && old[1] === el.clientHeight ? old : [el.clientWidth, el.clientHeight]));
		const o = new ResizeObserver(measure);
		o.observe(el);
		measure();
		return () => o.disconnect();
	}, []);
	return [...size, ref];
}

function useSprites(clipId: string): Sprites | null {
	const [sprites, set] = useState<Sprites | null>(null);
	useEffect(() => {
		const stop = new AbortController();
		loadSprites(clipId, stop.signal).then((s) => stop.signal.aborted || set(s));
		return () => stop.abort();
	}, [clipId]);
	return sprites;
}
