/** What people drew on the frame, over its picture. */
import type { JSX } from "preact";
import type { Clip, Drawing, Member } from "../event.gen.ts";
import { hueOf } from "../ui/Avatar.tsx";
import { shortName } from "../words.ts";
import { pathOf, type Size } from "./strokes.ts";
import "./draw.css";

/** The size of a clip's picture, in any unit. */
export function sizeOf(clip: Clip): Size {
	return clip.width > 0 && clip.height > 0 ? clip : { width: 16, height: 9 };
}

interface DrawingsProps extends Omit<JSX.IntrinsicElements["svg"], "size"> {
	size: Size;
	drawings: Drawing[];
	members: Member[];
	/** The picture fills the box, and has no bars. */
	stretched?: boolean;
}

/** The strokes, each in the colour of whoever drew it; it lies over a picture in the same box, with the same bars. */
export function Drawings({ size, drawings, members, stretched, children, ...rest }: DrawingsProps) {
	return (
		<svg
			{...rest}
			class="drawings"
			data-testid="drawings"
			viewBox={`0 0 ${size.width} ${size.height}`}
			preserveAspectRatio={stretched ? "none" : "xMidYMid meet"}
			aria-hidden="true"
		>
			{drawings.map((d) => (
				<Stroke key={d.id} points={d.points} size={size} name={nameOf(d.author, members)} />
			))}
			{children}
		</svg>
	);
}

export function Stroke({ points, size, name }: { points: number[]; size: Size; name: string }) {
	const path = pathOf(points, size);
	return (
		<g style={{ "--h": String(hueOf(name)) }}>
			<title>{name}</title>
			<path class="drawings__edge" d={path} />
			<path d={path} />
		</g>
	);
}

/** Whose strokes these are. */
export function DrawnBy({ drawings, members, you }: { drawings: Drawing[]; members: Member[]; you: string }) {
	const authors = [...new Set(drawings.map((d) => d.author))];
	if (authors.length === 0) return null;
	return (
		<ul class="drawn-by" aria-label="Drawn by">
			{authors.map((id) => {
				const m = members.find((m) => m.id === id);
				const name = id === you ? "You" : m ? shortName(m, members) : "Somebody";
				return (
					<li key={id} style={{ "--h": String(hueOf(nameOf(id, members))) }}>
						{name}
					</li>
				);
			})}
		</ul>
	);
}

function nameOf(member: string, members: Member[]): string {
	return members.find((m) => m.id === member)?.name ?? "Somebody";
}
