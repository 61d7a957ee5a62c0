/** A timeline's slider: pressed, dragged, moved by keys. Its value is written without rendering. */
import { useEffect, useMemo, useRef } from "preact/hooks";
import { coalesce } from "../timeline/coalesce.ts";

export interface SliderProps {
	label: string;
	/** Of the track, in its own unit. */
	from: number;
	to: number;
	/** Seconds that a unit is. */
	unit: number;
	value: () => number;
	say: () => string;
	onSeek: (value: number) => void;
	/** By a key: without it, as by hand. */
	onStep?: (value: number, by: number) => void;
}

/** ms between two seeks of one drag */
const SCRUB = 120;

export function Slider(props: SliderProps) {
	const ref = useRef<HTMLDivElement>(null);
	const p = useRef(props);
	p.current = props;
	const dragging = useRef(false);
	const said = useRef("");
	const scrub = useMemo(() => coalesce((v: number) => p.current.onSeek(v), SCRUB), []);
	const speak = () => {
		const el = ref.current;
		if (!el) return;
		const s = (p.current.value() * p.current.unit).toFixed(1);
		if (s === said.current) return;
		said.current = s;
		el.setAttribute("aria-valuenow", s);
		el.setAttribute("aria-valuetext", p.current.say());
	};
	useEffect(() => {
		speak();
		const timer = setInterval(speak, 250);
		return () => {
			clearInterval(timer);
			scrub.cancel();
		};
	}, []);

	const at = (e: PointerEvent) => {
		const box = ref.current!.getBoundingClientRect();
		const f = Math.min(1, Math.max(0, (e.clientX - box.left) / box.width));
		return p.current.from + f * (p.current.to - p.current.from);
	};
	const end = (e: PointerEvent) => {
		if (!dragging.current) return;
		dragging.current = false;
		scrub.cancel();
		p.current.onSeek(at(e));
		speak();
	};
	const onKeyDown = (e: KeyboardEvent) => {
		const { from, to, unit, value, onSeek, onStep } = p.current;
		const by = keyStep(e);
		if (by === null) return;
		e.preventDefault();
		const want = Number.isFinite(by) ? value() + by / unit : by < 0 ? from : to;
		const v = Math.min(Math.max(want, from), to);
		if (onStep) onStep(v, by);
		else onSeek(v);
		speak();
	};
	return (
		<div
			ref={ref}
			class="replay__seek"
			role="slider"
			tabIndex={0}
			aria-label={props.label}
			aria-valuemin={round(props.from * props.unit)}
			aria-valuemax={round(props.to * props.unit)}
			aria-valuenow={round(props.value() * props.unit)}
			aria-orientation="horizontal"
			onKeyDown={onKeyDown}
			onPointerDown={(e) => {
				if (e.button !== 0) return;
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

const round = (s: number) => Math.round(s * 10) / 10;

/** Seconds that a key moves by; infinite for Home and End; null for other keys. */
export function keyStep(e: Pick<KeyboardEvent, "key" | "shiftKey" | "ctrlKey" | "metaKey" | "altKey">): number | null {
	if (e.ctrlKey || e.metaKey || e.altKey) return null;
	switch (e.key) {
		case "ArrowLeft":
		case "ArrowDown":
			return e.shiftKey ? -10 : -1;
		case "ArrowRight":
		case "ArrowUp":
			return e.shiftKey ? 10 : 1;
		case "PageDown":
			return -30;
		case "PageUp":
			return 30;
		case "Home":
			return Number.NEGATIVE_INFINITY;
		case "End":
			return Number.POSITIVE_INFINITY;
		default:
			return null;
	}
}
