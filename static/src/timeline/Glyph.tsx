import type { NoteType } from "../event.gen.ts";

/** The head of a note of each type, in a box of 12: a shape of its own, so that colour never stands alone. */
function Head({ type }: { type: NoteType }) {
	switch (type) {
		case "observation":
			return <circle cx="6" cy="6" r="4.5" />;
		case "wondering":
			return <circle cx="6" cy="6" r="3.75" fill="none" stroke-width="2" />;
		case "learning":
			return <path d="M6 1.6 10.8 10H1.2Z" stroke-width="1" stroke-linejoin="round" />;
		case "question":
			return <rect x="2" y="2" width="8" height="8" rx="1.5" stroke="none" />;
		case "appreciation":
			return (
				<path d="M6 10.6C2.6 8 1 6.2 1 4.2A2.6 2.6 0 0 1 6 3a2.6 2.6 0 0 1 5 1.2C11 6.2 9.4 8 6 10.6Z" stroke="none" />
			);
		case "next":
			return <path d="M2.5 1.8 10 6l-7.5 4.2Z" stroke-width="1" stroke-linejoin="round" />;
	}
}

/** Beside a note; the word stands with it. */
export function NoteGlyph({ type }: { type: NoteType }) {
	return (
		<svg class="note__glyph glyph" viewBox="0 0 12 12" data-type={type} aria-hidden="true">
			<Head type={type} />
		</svg>
	);
}

/** On a timeline: a head on a stem. */
export function TickGlyph({ type, x }: { type: NoteType; x?: number }) {
	return (
		<svg
			class="glyph"
			viewBox="0 0 12 24"
			data-type={type}
			aria-hidden="true"
			style={x === undefined ? undefined : { "--x": String(x) }}
		>
			<path d="M6 10v12" fill="none" stroke-width="1.5" />
			<Head type={type} />
		</svg>
	);
}
