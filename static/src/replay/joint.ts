/** The joint of the two timelines as SVG paths, in a box of 1000 by 100: above the conversation, below the clip. */
import { fraction, type Range } from "../timeline/scale.ts";
import type { Piece } from "./history.ts";

export const WIDE = 1000;
export const HIGH = 100;

export interface Ribbon {
	kind: "run" | "pause" | "stand";
	piece: Piece;
	d: string;
}

/** A stop without a pivotal pause is drawn from this length on, ms. */
const STAND = 4000;

const x = (f: number) => (f * WIDE).toFixed(1);

/** From a point above to one below, leaving and arriving upright. */
export function curve(top: number, bottom: number): string {
	return `M${x(top)} 0C${x(top)} ${HIGH * 0.62} ${x(bottom)} ${HIGH * 0.38} ${x(bottom)} ${HIGH}`;
}

function ribbon(top: [number, number], bottom: [number, number]): string {
	const [a, b] = top;
	const [c, d] = bottom;
	return (
		`M${x(a)} 0C${x(a)} ${HIGH * 0.62} ${x(c)} ${HIGH * 0.38} ${x(c)} ${HIGH}L${x(d)} ${HIGH}` +
		`C${x(d)} ${HIGH * 0.38} ${x(b)} ${HIGH * 0.62} ${x(b)} 0Z`
	);
}

/** Grey where the clip ran, a funnel where it stood; what stood before the clip was first touched is left out. */
export function ribbons(pieces: Piece[], talk: Range, clip: Range): Ribbon[] {
	return pieces.flatMap((piece, i) => {
		const kind = piece.rate > 0 ? "run" : piece.hold ? "pause" : "stand";
		if (kind === "stand" && (i === 0 || i === pieces.length - 1 || piece.to - piece.from < STAND)) return [];
		const top: [number, number] = [fraction(piece.from, talk), fraction(piece.to, talk)];
		const bottom: [number, number] = [fraction(piece.a, clip), fraction(piece.b, clip)];
		return [{ kind, piece, d: ribbon(top, bottom) } as const];
	});
}

const steps = [5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200].map((s) => s * 1000);

/** Round times of the reader's clock for a ruler, as session times, none at the very edges. */
export function clockTimes(opened: number, duration: number, width: number, gap = 84): number[] {
	if (width <= 0) return [];
	const perPixel = duration / width;
	const step = steps.find((s) => s / perPixel >= gap) ?? steps.at(-1)!;
	const zone = new Date(opened).getTimezoneOffset() * 60_000;
	const edge = 30 * perPixel;
	const times: number[] = [];
	const first = Math.ceil((opened + edge - zone) / step) * step + zone;
	for (let at = first; at <= opened + duration - edge; at += step) times.push(at - opened);
	return times;
}
