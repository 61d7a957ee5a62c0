/**
 * Tells the server which pictures this page shows, and how large: it then sends no more than can be seen. A picture that is
 * scrolled away, covered by another tab or not on the page costs nothing.
 */
import type { RTCPlace } from "../event.gen.ts";

export type Places = Record<string, RTCPlace>;

/** Changes are told together, so that a window that is dragged larger does not tell each of its sizes. */
const SETTLE = 200;
/** A size that differs by less than this part is the same: layers are a factor of two apart. */
const SLACK = 0.1;
/** A page that is hidden for so long shows nothing; shorter looks elsewhere keep the pictures running. */
const HIDDEN_AFTER = 3000;

interface Watched {
	publication: () => string | undefined;
	seen: boolean;
}

export class Views {
	#watched = new Map<Element, Watched>();
	#told: Places | null = null;
	#settle: ReturnType<typeof setTimeout> | undefined;
	#hide: ReturnType<typeof setTimeout> | undefined;
	#hidden = false;
	#resized = new ResizeObserver(() => this.changed());
	#seen = new IntersectionObserver((entries) => {
		for (const e of entries) {
			const w = this.#watched.get(e.target);
			if (w) w.seen = e.isIntersecting;
		}
		this.changed();
	});
	#tell: (places: Places) => void;
	#known: () => string[];

	/** known are all pictures that are received; those that no element shows are told as 0 by 0. */
	constructor(tell: (places: Places) => void, known: () => string[]) {
		this.#tell = tell;
		this.#known = known;
		document.addEventListener("visibilitychange", this.#visible);
	}

	/** Watches an element that shows a publication, until the function that it returns is called. */
	watch(el: Element, publication: () => string | undefined): () => void {
		this.#watched.set(el, { publication, seen: true });
		this.#resized.observe(el);
		this.#seen.observe(el);
		this.changed();
		return () => {
			this.#watched.delete(el);
			this.#resized.unobserve(el);
			this.#seen.unobserve(el);
			this.changed();
		};
	}

	/** Something came, went or has another size. */
	changed(): void {
		clearTimeout(this.#settle);
		this.#settle = setTimeout(() => this.#now(), SETTLE);
	}

	/** A new connection knows nothing of what was told before. */
	forget(): void {
		this.#told = null;
		this.changed();
	}

	close(): void {
		document.removeEventListener("visibilitychange", this.#visible);
		clearTimeout(this.#settle);
		clearTimeout(this.#hide);
		this.#resized.disconnect();
		this.#seen.disconnect();
		this.#watched.clear();
	}

	#visible = (): void => {
		clearTimeout(this.#hide);
		if (document.visibilityState === "visible") {
			this.#hidden = false;
			this.#now();
			return;
		}
		this.#hide = setTimeout(() => {
			this.#hidden = true;
			this.#now();
		}, HIDDEN_AFTER);
	};

	#now(): void {
		const places = this.#places();
		if (this.#told && sameView(this.#told, places)) return;
		this.#told = places;
		this.#tell(places);
	}

	#places(): Places {
		const places: Places = {};
		for (const id of this.#known()) places[id] = { width: 0, height: 0 };
		if (this.#hidden) return places;
		const scale = globalThis.devicePixelRatio || 1;
		for (const [el, w] of this.#watched) {
			const id = w.publication();
			const box = el.getBoundingClientRect();
			if (!id || !w.seen || box.width < 1 || box.height < 1) continue;
			const place = { width: Math.round(box.width * scale), height: Math.round(box.height * scale) };
			const other = places[id];
			places[id] = other && other.height > place.height ? other : place;
		}
		return places;
	}
}

/** Whether two views are so alike that the server would send the same. */
export function sameView(a: Places, b: Places): boolean {
	const ids = Object.keys(a);
	if (ids.length !== Object.keys(b).length) return false;
	return ids.every((id) => {
		const [p, q] = [a[id], b[id]];
		return p !== undefined && q !== undefined && near(p.width, q.width) && near(p.height, q.height);
	});
}

function near(a: number, b: number): boolean {
	return Math.abs(a - b) <= SLACK * Math.max(a, b);
}
