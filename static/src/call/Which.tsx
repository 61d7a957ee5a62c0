import type { Hold, View } from "../event.gen.ts";

/** Which pause it is, and whose: "Pause 1 of 3, chosen by Amara". */
export function Which({ view, hold }: { view: View; hold: Hold }) {
	const prepared = view.pauses.filter((p) => !p.proposed);
	const i = prepared.findIndex((p) => p.id === hold.pause);
	const by = hold.by === "" ? "" : i >= 0 ? `chosen by ${hold.by}` : `called by ${hold.by}`;
	return (
		<>
			{i >= 0 ? `Pause ${i + 1} of ${prepared.length}` : "Pause"} <span class="quiet">{by}</span>
		</>
	);
}

/** What a pause asks. */
export function promptOf(hold: Hold): string {
	return hold.prompt || "What do you see here?";
}
