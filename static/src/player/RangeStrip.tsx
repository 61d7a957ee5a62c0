import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Clip } from "../api.ts";
import { loadSprites, type Sprites, tileAt, tileStyle } from "../timeline/sprites.ts";
import { fmtClip, sayClip } from "../ui/time.ts";
import type { Player } from "./player.ts";

const percent = (us: number, duration: number) => `${Math.max(0, Math.min(100, (us / duration) * 100)).toFixed(3)}%`;

interface RangeStripProps {
	player: Player;
	clip: Clip;
	/** Chosen range, µs. */
	from: number;
	to: number;
	/** Handles to change the range. */
	onRange?: (from: number, to: number) => void;
}

/** The clip's time as a strip of pictures with its range and playhead. */
export function RangeStrip({ player, clip, from, to, onRange }: RangeStripProps) {
	const strip = useRef<HTMLDivElement>(null);
	const at = (e: PointerEvent) => {
		const box = strip.current!.getBoundingClientRect();
		return Math.max(0, Math.min(1, (e.clientX - box.left) / box.width)) * clip.duration;
	};
	const drag = useDrag((e) => player.seek(at(e)));
	const us = player.position.value;
	const keys = (e: KeyboardEvent) => {
		const jump = { PageUp: 10e6, PageDown: -10e6 }[e.key];
		if (jump) player.seek(us + jump);
		else if (e.key === "Home") player.seek(from);
		else if (e.key === "End") player.seek(to);
		else return;
		e.preventDefault();
	};
	return (
		<section class="timeline rangestrip" aria-label="Timeline">
			<div class="tl">
				<Row label="Clip" value={fmtClip(clip.duration)}>
					<div class="tl__track strip" ref={strip}>
						<Thumbs clip={clip} />
						<div class="out" style={{ "--a": "0%", "--b": percent(from, clip.duration) }} />
						<div class="out" style={{ "--a": percent(to, clip.duration), "--b": "100%" }} />
						<div class="range" style={{ "--a": percent(from, clip.duration), "--b": percent(to, clip.duration) }} />
						<div
							class="played"
							style={{ "--a": percent(from, clip.duration), "--b": percent(Math.max(us, from), clip.duration) }}
						/>
					</div>
				</Row>
				<Ruler duration={clip.duration} />
				<div class="tl__over">
					<div
						class="seek"
						role="slider"
						tabIndex={0}
						aria-label="Clip position"
						aria-valuemin={0}
						aria-valuemax={Math.round(clip.duration / 1e5) / 10}
						aria-valuenow={Math.round(us / 1e5) / 10}
						aria-valuetext={`${sayClip(us)} of ${sayClip(clip.duration, false)}`}
						onKeyDown={keys}
						{...drag}
					/>
					{onRange && (
						<>
							<Handle
								name="Start"
								value={from}
								clip={clip}
								player={player}
								at={at}
								set={(v) => onRange(Math.min(v, to - 1e6), to)}
							/>
							<Handle
								name="End"
								value={to}
								clip={clip}
								player={player}
								at={at}
								set={(v) => onRange(from, Math.max(v, from + 1e6))}
							/>
						</>
					)}
					<div class="playhead" style={{ "--t": percent(us, clip.duration) }}>
						<span class="playhead__time">{fmtClip(us, true)}</span>
					</div>
				</div>
			</div>
		</section>
	);
}

function Row({ label, value, children }: { label: string; value?: ComponentChildren; children: ComponentChildren }) {
	return (
		<div class="tl__row">
			<div class="tl__label">
				{label} {value !== undefined && <span class="num">{value}</span>}
			</div>
			{children}
		</div>
	);
}

/** Pointer moves between press and release, one a frame of the screen. */
function useDrag(move: (e: PointerEvent) => void) {
	const last = useRef(0);
	const latest = useRef(move);
	latest.current = move;
	const later = (e: PointerEvent) => {
		cancelAnimationFrame(last.current);
		last.current = requestAnimationFrame(() => latest.current(e));
	};
	return {
		onPointerDown: (e: PointerEvent) => {
			if (e.button !== 0) return;
			(e.currentTarget as Element).setPointerCapture(e.pointerId);
			latest.current(e);
		},
		onPointerMove: (e: PointerEvent) => {
			if ((e.currentTarget as Element).hasPointerCapture(e.pointerId)) later(e);
		},
	};
}

interface HandleProps {
	name: "Start" | "End";
	value: number;
	clip: Clip;
	player: Player;
	at: (e: PointerEvent) => number;
	set: (us: number) => void;
}

/** One end of the range. While it is moved, the frame under it is in view. */
function Handle({ name, value, clip, player, at, set }: HandleProps) {
	const put = (us: number) => {
		const v = Math.max(0, Math.min(clip.duration, Math.round(us)));
		set(v);
		player.stop();
		player.seek(v);
	};
	const drag = useDrag((e) => put(at(e)));
	const frame = (clip.fpsDen / clip.fpsNum) * 1e6;
	const keys = (e: KeyboardEvent) => {
		const step = { ArrowLeft: -1e6, ArrowDown: -1e6, ArrowRight: 1e6, ArrowUp: 1e6, ",": -frame, ".": frame }[e.key];
		if (step === undefined) return;
		e.preventDefault();
		e.stopPropagation();
		put(value + step * (e.shiftKey && Math.abs(step) === 1e6 ? 10 : 1));
	};
	return (
		<div
			class={`handle handle--${name.toLowerCase()}`}
			style={{ "--t": percent(value, clip.duration) }}
			role="slider"
			tabIndex={0}
			aria-label={`${name} of the range`}
			aria-valuemin={0}
			aria-valuemax={clip.duration / 1e6}
			aria-valuenow={value / 1e6}
			aria-valuetext={sayClip(value)}
			onKeyDown={keys}
			{...drag}
		/>
	);
}

function Ruler({ duration }: { duration: number }) {
	const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600].map((s) => s * 1e6);
	const step = steps.find((s) => duration / s <= 9) ?? steps.at(-1)!;
	const ticks = [];
	for (let t = step; t < duration - step / 3; t += step) ticks.push(t);
	return (
		<Row label="">
			<div class="tl__track ruler" aria-hidden="true">
				{ticks.map((t) => (
					<span key={t} style={{ "--t": percent(t, duration) }}>
						{fmtClip(t)}
					</span>
				))}
			</div>
		</Row>
	);
}

const TILES = 12;

/** A dozen pictures across the strip, each from the middle of its part of the clip. */
function Thumbs({ clip }: { clip: Clip }) {
	const [sprites, setSprites] = useState<Sprites | null>(null);
	useEffect(() => {
		const gone = new AbortController();
		void loadSprites(clip.id, gone.signal).then((s) => !gone.signal.aborted && setSprites(s));
		return () => gone.abort();
	}, [clip.id]);
	if (!sprites) return null;
	const at = (i: number) => tileAt(((i + 0.5) / TILES) * clip.duration, sprites);
	return (
		<div class="thumbs" aria-hidden="true">
			{Array.from({ length: TILES }, (_, i) => (
				<span key={i} style={tileStyle(clip.id, at(i), sprites)} />
			))}
		</div>
	);
}
