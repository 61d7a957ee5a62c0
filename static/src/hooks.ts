import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { sentenceOf } from "./api.ts";
import type { Autosave } from "./autosave.ts";

export interface Loaded<T> {
	data: T | undefined;
	/** A sentence, when the latest try failed. */
	error: string | undefined;
	/** The thrown thing itself, for its code. */
	cause: unknown;
	reload: () => void;
	/** Puts a newer value in the place of what was loaded. */
	set: (data: T) => void;
}

/** Loads something when the page appears or its key changes, and again every `every` ms while the page is in view. */
export function useLoad<T>(load: () => Promise<T>, key: string, every?: number): Loaded<T> {
	const [state, setState] = useState<{ key: string; data?: T; cause?: unknown }>({ key });
	const [round, setRound] = useState(0);
	const latest = useRef(load);
	latest.current = load;
	useEffect(() => {
		let gone = false;
		let timer: ReturnType<typeof setTimeout> | undefined;
		const run = async () => {
			if (!every || !document.hidden) {
				try {
					const data = await latest.current();
					if (!gone) setState({ key, data });
				} catch (cause) {
					if (!gone) setState((s) => ({ key, data: s.key === key ? s.data : undefined, cause }));
				}
			}
			if (every && !gone) timer = setTimeout(run, every);
		};
		run();
		return () => {
			gone = true;
			clearTimeout(timer);
		};
	}, [key, every, round]);
	const fresh = state.key === key;
	return {
		data: fresh ? state.data : undefined,
		cause: fresh ? state.cause : undefined,
		error: fresh && state.cause !== undefined ? sentenceOf(state.cause) : undefined,
		reload: useCallback(() => setRound((n) => n + 1), []),
		set: (data: T) => setState({ key, data }),
	};
}

/** The tab's title. */
export function useTitle(...parts: (string | undefined | null | false)[]): void {
	const title = [...parts.filter(Boolean), "Pausepoint"].join(" · ");
	useEffect(() => {
		document.title = title;
	}, [title]);
}

/** Something a button does: busy while it runs, and its failure as a sentence. */
export function useAction<A extends unknown[]>(run: (...args: A) => Promise<void>) {
	const [busy, setBusy] = useState(false);
	const [error, setError] = useState<string>();
	const here = useRef(true);
	useEffect(
		() => () => {
			here.current = false;
		},
		[],
	);
	const start = async (...args: A) => {
		if (busy) return;
		setBusy(true);
		setError(undefined);
		try {
			await run(...args);
		} catch (e) {
			if (here.current) setError(sentenceOf(e));
		}
		if (here.current) setBusy(false);
	};
	return { start, busy, error, setError };
}

/** True while a media query holds. */
export function useMedia(query: string): boolean {
	const [holds, set] = useState(() => matchMedia(query).matches);
	useEffect(() => {
		const m = matchMedia(query);
		const on = () => set(m.matches);
		on();
		m.addEventListener("change", on);
		return () => m.removeEventListener("change", on);
	}, [query]);
	return holds;
}

/** Saves what waits when the page is left, and asks before the tab is closed. */
export function useFlush<T extends object>(autosave: Autosave<T> | null): void {
	useEffect(() => {
		if (!autosave) return;
		const ask = (e: BeforeUnloadEvent) => {
			if (!autosave.pending) return;
			void autosave.flush();
			e.preventDefault();
		};
		window.addEventListener("beforeunload", ask);
		return () => {
			window.removeEventListener("beforeunload", ask);
			void autosave.flush();
		};
	}, [autosave]);
}

/** Between two looks at what moves on a page, ms: pictures of the page, which cost what the clip's own need, are made no more often. */
const LOOK = 50;

/** Calls draw now, and then again and again in animation frames: for what moves without rendering. */
export function useDrawing(draw: () => void): void {
	const latest = useRef(draw);
	latest.current = draw;
	useLayoutEffect(() => {
		let id = 0;
		const look = () => {
			id = 0;
			latest.current();
		};
		latest.current();
		const timer = setInterval(() => {
			id ||= requestAnimationFrame(look);
		}, LOOK);
		return () => {
			clearInterval(timer);
			cancelAnimationFrame(id);
		};
	}, []);
}
