/** Marks that lie closer together than a finger share one target. */

export interface Placed<T> {
	mark: T;
	/** Pixels from the left edge of the track. */
	x: number;
}

export interface Group<T> {
	marks: Placed<T>[];
	/** Pixels of the first and the last mark. */
	from: number;
	to: number;
}

/**
 * Groups marks in view. Marks that are nearer than `gap` pixels to their neighbour belong together; those out of view
 * (beyond `margin` pixels on either side) are left out. Marks come in order of time.
 */
export function group<T>(marks: T[], place: (m: T) => number, width: number, gap = 24, margin = 12): Group<T>[] {
	const groups: Group<T>[] = [];
	for (const mark of marks) {
		const x = place(mark);
		if (x < -margin || x > width + margin) continue;
		const last = groups.at(-1);
		if (last && x - last.to < gap) {
			last.marks.push({ mark, x });
			last.to = x;
		} else groups.push({ marks: [{ mark, x }], from: x, to: x });
	}
	return groups;
}

/** At most so many glyphs of a group are drawn, spread over it: hundreds on one spot look like one. */
export function thin<T>(marks: Placed<T>[], apart = 7): Placed<T>[] {
	const out: Placed<T>[] = [];
	for (const m of marks) if (out.length === 0 || m.x - out.at(-1)!.x >= apart) out.push(m);
	return out;
}
