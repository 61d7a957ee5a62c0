import { Check, CircleAlert, LoaderCircle } from "lucide";
import type { Autosave } from "../autosave.ts";
import { Icon } from "./Icon.tsx";

/** "Saved", and what is not. */
export function Saved<T extends object>({ autosave, more }: { autosave: Autosave<T>; more?: string }) {
	const s = autosave.state.value;
	if (s.phase === "failed") {
		return (
			<span class="saved saved--failed" role="alert">
				<Icon icon={CircleAlert} size={16} />
				{s.sentence} {s.final ? "" : "We try again by ourselves."}
			</span>
		);
	}
	return (
		<span class="saved" role="status">
			<Icon icon={s.phase === "saved" ? Check : LoaderCircle} size={16} />
			{s.phase === "saved" ? `Saved${more ? `. ${more}` : ""}` : "Saving"}
		</span>
	);
}
