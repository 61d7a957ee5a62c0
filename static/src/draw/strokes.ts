/** Strokes on a frame: where they are in the picture, and as few points as draw them. Pure. */

/** A stroke of more points is refused by the room. */
export const MOST = 512;
/** Points closer together than this are one, in parts of the picture's width. */
const NEAR = 0.002;

export interface Size {
	width: number;
	height: number;
}

interface Box extends Size {
	left: number;
	top: number;
}

/** Where a picture is in a box that contains it whole, with bars beside or above it (object-fit: contain). */
export function pictureIn(box: Box, { width, height }: Size): Box {
	const scale = Math.min(box.width / width, box.height / height);
	const inner = { width: width * scale, height: height * scale };
	return {
		...inner,
		left: box.left + (box.width - inner.width) / 2,
		top: box.top + (box.height - inner.height) / 2,
	};
}

/** A place on the screen in parts of the picture; outside of it, the nearest place at its edge. */
export function placeIn(picture: Box, x: number, y: number): [number, number] {
	const part = (v: number) => Math.round(Math.min(1, Math.max(0, v)) * 10_000) / 10_000;
	return [part((x - picture.left) / picture.width), part((y - picture.top) / picture.height)];
}

/** A stroke with one more place. One that grows too long is kept at half its points. */
export function longer(points: readonly number[], [x, y]: [number, number]): number[] {
	const [lastX, lastY] = points.slice(-2);
	if (lastX !== undefined && lastY !== undefined && Math.hypot(x - lastX, y - lastY) < NEAR) return [...points];
	const thin = points.length < 2 * MOST ? points : points.filter((_, i) => i % 4 < 2);
	return [...thin, x, y];
}

/** The path of a stroke in a picture of this size: curves through the middles between its points; of a single one, a dot. */
export function pathOf(points: readonly number[], { width, height }: Size): string {
	const at = (i: number) => [points[2 * i]! * width, points[2 * i + 1]! * height] as const;
	const text = (p: readonly [number, number]) => p.map((v) => v.toFixed(1)).join(" ");
	const last = points.length / 2 - 1;
	let path = `M${text(at(0))}`;
	for (let i = 1; i < last; i++) {
		const [[x, y], [nextX, nextY]] = [at(i), at(i + 1)];
		path += `Q${text([x, y])} ${text([(x + nextX) / 2, (y + nextY) / 2])}`;
	}
	return `${path}L${text(at(last))}`;
}
