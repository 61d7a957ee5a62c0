/** Lets through the first of many values at once, then at most one in a time, and always the last. */
export function coalesce<T>(run: (v: T) => void, ms: number): { push(v: T): void; flush(): void; cancel(): void } {
	let timer: ReturnType<typeof setTimeout> | undefined;
	let waiting: { v: T } | undefined;
	const fire = () => {
		timer = undefined;
		if (!waiting) return;
		const { v } = waiting;
		waiting = undefined;
		run(v);
		timer = setTimeout(fire, ms);
	};
	const cancel = () => {
		clearTimeout(timer);
		timer = waiting = undefined;
	};
	return {
		push(v) {
			waiting = { v };
			if (timer === undefined) fire();
		},
		flush() {
			const last = waiting;
			cancel();
			if (last) run(last.v);
		},
		cancel,
	};
}
