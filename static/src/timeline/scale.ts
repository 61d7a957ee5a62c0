/** The part of a clip that a timeline shows, and where on it a clip time lies. Times in µs, widths in pixels. */

export interface Range {
	from: number;
	to: number;
}

/** No closer than this. */
export const CLOSEST = 4_000_000;

/** Where a time lies in the window: 0 at its left edge, 1 at its right. */
export function fraction(us: number, w: Range): number {
	return (us - w.from) / (w.to - w.from);
}

/** The time at a fraction of the window. */
export function timeAt(f: number, w: Range): number {
	return w.from + f * (w.to - w.from);
}

/** Zooms by a factor (above 1 is closer) around a time that stays where it is. */
export function zoom(w: Range, by: number, around: number, duration: number): Range {
	const length = Math.min(duration, Math.max(Math.min(CLOSEST, duration), (w.to - w.from) / by));
	const from = around - fraction(around, w) * length;
	return within({ from, to: from + length }, duration);
}

/** Moves the window by a time. */
export function pan(w: Range, by: number, duration: number): Range {
	return within({ from: w.from + by, to: w.to + by }, duration);
}

/** The same window, or one of the same length that shows the time with some room around it. */
export function follow(w: Range, us: number, duration: number): Range {
	const length = w.to - w.from;
	if (length >= duration || (us >= w.from && us <= w.to - length * 0.04)) return w;
	const from = us - length * 0.12;
	return within({ from, to: from + length }, duration);
}

function within(w: Range, duration: number): Range {
	const length = Math.min(duration, w.to - w.from);
	const from = Math.min(Math.max(0, w.from), duration - length);
	return { from, to: from + length };
}

/** What a clip of which a part was chosen shows at first: the part, with a margin on either side. */
export function opening(clip: { duration: number; from: number; to: number }): Range {
	const margin = (clip.to - clip.from) * 0.05;
	const from = clip.from - margin <= clip.duration * 0.02 ? 0 : clip.from - margin;
	const to = clip.to + margin >= clip.duration * 0.98 ? clip.duration : clip.to + margin;
	return { from, to };
}

const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200].map((s) => s * 1_000_000);

/** Round times for a ruler, no closer to each other than `gap` pixels, none at the very edges. */
export function rulerTimes(w: Range, width: number, gap = 72): number[] {
	if (width <= 0) return [];
	const perPixel = (w.to - w.from) / width;
	const step = steps.find((s) => s / perPixel >= gap) ?? steps.at(-1)!;
	const edge = 20 * perPixel;
	const times: number[] = [];
	for (let t = Math.ceil((w.from + edge) / step) * step; t <= w.to - edge; t += step) times.push(t);
	return times;
}
