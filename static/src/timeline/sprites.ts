/** The thumbnails of a clip: thumbs.json tells how they lie on its sprite sheets. */

export interface Sprites {
	/** µs of clip time between two thumbnails */
	interval: number;
	/** of one tile, pixels */
	width: number;
	height: number;
	cols: number;
	rows: number;
	count: number;
	sheets: number;
}

export interface Tile {
	sheet: number;
	col: number;
	row: number;
}

/** The tile that shows a clip time. */
export function tileAt(us: number, s: Sprites): Tile {
	const k = Math.min(s.count - 1, Math.max(0, Math.floor(us / s.interval)));
	const per = s.cols * s.rows;
	const i = k % per;
	return { sheet: Math.floor(k / per), col: i % s.cols, row: Math.floor(i / s.cols) };
}

/** How a tile is drawn as a background: image, size and position, in percent, so that it fits any box. */
export function tileStyle(clipId: string, t: Tile, s: Sprites) {
	const x = s.cols > 1 ? (t.col / (s.cols - 1)) * 100 : 0;
	const y = s.rows > 1 ? (t.row / (s.rows - 1)) * 100 : 0;
	return {
		backgroundImage: `url("/api/clips/${encodeURIComponent(clipId)}/media/thumbs-${t.sheet}.jpg")`,
		backgroundSize: `${s.cols * 100}% ${s.rows * 100}%`,
		backgroundPosition: `${x}% ${y}%`,
	};
}

/** Fetches thumbs.json; null where there is none, the timeline works without. */
export async function loadSprites(clipId: string, signal?: AbortSignal): Promise<Sprites | null> {
	try {
		const r = await fetch(`/api/clips/${encodeURIComponent(clipId)}/media/thumbs.json`, { signal });
		if (!r.ok) return null;
		const s = (await r.json()) as Sprites;
		return s.count > 0 && s.interval > 0 ? s : null;
	} catch {
		return null;
	}
}
