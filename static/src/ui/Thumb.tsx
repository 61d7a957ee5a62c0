import type { IconNode } from "lucide";
import { Film } from "lucide";
import { useState } from "preact/hooks";
import { urls } from "../api.ts";
import { Icon } from "./Icon.tsx";

interface ThumbProps {
	/** A clip that is ready; without one, or if its picture does not load, an icon stands in. */
	clip?: string | null;
	icon?: IconNode;
	class?: string;
}

/** A small picture of a clip; decoration beside its title. */
export function Thumb({ clip, icon = Film, class: cls = "thumb" }: ThumbProps) {
	const [broken, setBroken] = useState<string>();
	return (
		<span class={cls} aria-hidden="true">
			{clip && broken !== clip ? (
				<img src={urls.poster(clip)} alt="" loading="lazy" onError={() => setBroken(clip)} />
			) : (
				<span class="thumb__none">
					<Icon icon={icon} />
				</span>
			)}
		</span>
	);
}
