/** Drawing on the frame while the clip stands: the pen, the strokes of all, and what takes them away. */
import { type Signal, signal, useSignal } from "@preact/signals";
import { Pencil } from "lucide";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { Drawings, DrawnBy, Stroke, sizeOf } from "../draw/Drawings.tsx";
import { longer, pictureIn, placeIn, type Size } from "../draw/strokes.ts";
import type { Drawing, View } from "../event.gen.ts";
import { stands } from "../sync/fold.ts";
import { Button, IconButton } from "../ui/Button.tsx";
import { announce } from "../ui/Toast.tsx";
import { useCall } from "./context.ts";
import type { CallSession } from "./session.ts";
import { uuidv7 } from "./uuid.ts";

/** One draws: the pointer on the clip is a pen. */
export const drawing = signal(false);

/** Whether this page shows the frame on which everybody stands. */
function onTheFrame(call: CallSession, v: View): boolean {
	return stands(v.playback) && !call.clip.alone.value && !call.clip.behind.value;
}

function mayDraw(call: CallSession, v: View): boolean {
	return call.can("draw") && onTheFrame(call, v);
}

/** Begins to draw, where one may, or ends it. */
export function toggleDrawing(call: CallSession): void {
	const v = call.view.peek();
	if (!v?.clip || (!drawing.peek() && !mayDraw(call, v))) return;
	drawing.value = !drawing.peek();
	if (drawing.peek()) announce("Draw on the frame with a mouse, a pen or a finger. Escape ends it.");
}

/** What is drawn on the frame, and how one draws on it. */
export function Pen() {
	const call = useCall();
	const sent = useSignal<Drawing[]>([]); // what the room has not answered yet
	const v = call.view.value;
	const may = !!v?.clip && mayDraw(call, v);
	useEffect(() => {
		if (!may) drawing.value = false;
	}, [may]);
	useEffect(
		() => () => {
			drawing.value = false;
		},
		[],
	);
	if (!v?.clip) return null;
	const you = call.you.value;
	const { position } = v.playback;
	const known = new Set(v.drawings.map((d) => d.id));
	const fresh = sent.value.filter((d) => d.position === position && !known.has(d.id));
	const shown = onTheFrame(call, v) ? [...v.drawings, ...fresh] : [];
	const draw = async (points: number[], on: number) => {
		if (on !== call.view.peek()?.playback.position) return; // the frame has changed under the pen
		const stroke = { id: uuidv7(), position: on, points };
		sent.value = [...sent.peek(), { ...stroke, author: you }];
		await call.ask({ type: "drawing.add", data: stroke });
		sent.value = sent.peek().filter((d) => d.id !== stroke.id);
	};
	return (
		<>
			{drawing.value && may ? (
				<Paper view={v} drawings={shown} name={call.me.value?.name ?? ""} onStroke={draw} />
			) : (
				<Drawings size={sizeOf(v.clip)} drawings={shown} members={v.members} />
			)}
			{may && <DrawButton />}
			<DrawnBy drawings={shown} members={v.members} you={you} />
			{drawing.value && may && <Tools drawings={shown} />}
		</>
	);
}

interface PaperProps {
	view: View;
	drawings: Drawing[];
	name: string;
	onStroke: (points: number[], position: number) => void;
}

/** The frame to draw on. A stroke is told when it is finished; until then it is seen here alone. */
function Paper({ view, drawings, name, onStroke }: PaperProps) {
	const stroke = useSignal<number[]>([]);
	const begun = useRef<{ pointer: number; position: number } | null>(null);
	const size = sizeOf(view.clip!);
	const placeOf = (e: PointerEvent) => {
		const picture = pictureIn((e.currentTarget as Element).getBoundingClientRect(), size);
		return placeIn(picture, e.clientX, e.clientY);
	};
	const draws = (e: PointerEvent) => begun.current?.pointer === e.pointerId;
	const end = () => {
		begun.current = null;
		stroke.value = [];
	};
	return (
		<Drawings
			size={size}
			drawings={drawings}
			members={view.members}
			data-pen
			onPointerDown={(e) => {
				if (e.button !== 0 || begun.current) return;
				e.currentTarget.setPointerCapture(e.pointerId);
				begun.current = { pointer: e.pointerId, position: view.playback.position };
				stroke.value = placeOf(e);
			}}
			onPointerMove={(e) => {
				if (draws(e)) stroke.value = longer(stroke.peek(), placeOf(e));
			}}
			onPointerUp={(e) => {
				if (!draws(e) || !begun.current) return;
				onStroke(stroke.peek(), begun.current.position);
				end();
			}}
			onPointerCancel={(e) => {
				if (draws(e)) end();
			}}
		>
			<Unfinished stroke={stroke} size={size} name={name} />
		</Drawings>
	);
}

function Unfinished({ stroke, size, name }: { stroke: Signal<number[]>; size: Size; name: string }) {
	return stroke.value.length > 0 ? <Stroke points={stroke.value} size={size} name={name} /> : null;
}

function DrawButton() {
	const call = useCall();
	const ref = useFocusKept("main");
	return (
		<span ref={ref}>
			<IconButton
				class="picture__own picture__draw"
				icon={Pencil}
				label="Draw on the frame (D)"
				pressed={drawing.value}
				onClick={() => toggleDrawing(call)}
			/>
		</span>
	);
}

function Tools({ drawings }: { drawings: Drawing[] }) {
	const call = useCall();
	const ref = useFocusKept(".picture__draw", "main");
	const own = drawings.filter((d) => d.author === call.you.value);
	const remove = (gone: Drawing[]) => {
		if (gone.length > 0) void call.press({ type: "drawing.remove", data: { ids: gone.map((d) => d.id) } });
	};
	const none = own.length === 0 || undefined;
	return (
		// biome-ignore lint/a11y/useSemanticElements: a group of buttons is no fieldset
		<div class="pen-bar" role="group" aria-label="Drawing" ref={ref}>
			<Button size="small" aria-disabled={none} onClick={() => remove(own.slice(-1))}>
				Undo
			</Button>
			<Button size="small" aria-disabled={none} onClick={() => remove(own)}>
				Clear mine
			</Button>
			{call.can("drive") && (
				<Button size="small" aria-disabled={drawings.length === 0 || undefined} onClick={() => remove(drawings)}>
					Clear all
				</Button>
			)}
			<Button size="small" variant="primary" onClick={() => toggleDrawing(call)}>
				Done
			</Button>
		</div>
	);
}

/** Where the focus goes when what has it goes away: the first of these that is there. */
function useFocusKept(...to: string[]) {
	const ref = useRef<HTMLDivElement & HTMLSpanElement>(null);
	useLayoutEffect(
		() => () => {
			if (!ref.current?.contains(document.activeElement)) return;
			setTimeout(() => {
				const there = to.map((selector) => document.querySelector<HTMLElement>(selector)).find((el) => el);
				there?.focus({ preventScroll: true });
			});
		},
		[],
	);
	return ref;
}
