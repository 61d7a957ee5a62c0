/** Faces that fill a box: every tile of the same size, well-proportioned, as large as the box allows. */
import { useLayoutEffect, useState } from "preact/hooks";

export interface Tiles {
	columns: number;
	/** of one tile, px */
	width: number;
	height: number;
}

const WIDEST = 16 / 9; // as cameras give them
const NARROWEST = 0.9; // a head and its shoulders

/** The tiles of n faces that leave least of a box empty, none of them a strip. */
export function tilesFor(n: number, width: number, height: number, gap: number): Tiles {
	let best: Tiles = { columns: 1, width: 0, height: 0 };
	for (let columns = 1; columns <= n; columns++) {
		const rows = Math.ceil(n / columns);
		const high = (height - (rows - 1) * gap) / rows;
		const w = Math.min((width - (columns - 1) * gap) / columns, high * WIDEST);
		const h = Math.min(high, w / NARROWEST);
		const tile = { columns, width: Math.max(0, Math.floor(w)), height: Math.max(0, Math.floor(h)) };
		if (tile.width * tile.height > best.width * best.height) best = tile;
	}
	return best;
}

/** The tiles of a list's box as custom properties for its style, kept as the box changes; none while it is off. */
export function useTiles(
	list: preact.RefObject<HTMLElement | null>,
	n: number,
	on: boolean,
): Record<string, string> | undefined {
	const [tiles, set] = useState<Tiles | null>(null);
	useLayoutEffect(() => {
		const el = list.current;
		if (!el || !on) return;
		const measure = () => {
			const gap = Number.parseFloat(getComputedStyle(el).columnGap) || 0;
			const { width, height } = el.getBoundingClientRect(); // clientWidth may be rounded up: then a row would not fit
			const next = tilesFor(n, width, height, gap);
			set((t) => (t && t.width === next.width && t.height === next.height ? t : next));
		};
		const o = new ResizeObserver(measure);
		o.observe(el);
		measure();
		return () => o.disconnect();
	}, [n, on]);
	if (!tiles || !on) return undefined;
	return { "--tile-w": `${tiles.width}px`, "--tile-h": `${tiles.height}px` };
}
