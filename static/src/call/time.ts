import { type Signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

/** A signal that changes every `ms`: what reads it is rendered that often, and nothing else. */
export function useTick(ms: number): Signal<number> {
	const tick = useSignal(0);
	useEffect(() => {
		const timer = setInterval(() => tick.value++, ms);
		return () => clearInterval(timer);
	}, [ms]);
	return tick;
}
