import { useEffect, useState } from "preact/hooks";

export function Spinner() {
	return <span class="spinner" aria-hidden="true" />;
}

/** A page or a part of it that is on its way. It appears after a moment only, so that quick answers do not flash. */
export function Loading({ label = "One moment" }: { label?: string }) {
	const [late, setLate] = useState(false);
	useEffect(() => {
		const timer = setTimeout(() => setLate(true), 250);
		return () => clearTimeout(timer);
	}, []);
	return (
		<div class="loading" role="status">
			{late && <Spinner />}
			<span class="vh">{label}</span>
		</div>
	);
}
