import type { IconNode } from "lucide";
import { h } from "preact";

interface IconProps {
	/** A lucide icon: `import { Mic } from "lucide"`. */
	icon: IconNode;
	/** 20 (the default) or 16 pixels. */
	size?: 16 | 20;
	class?: string;
	/** Spoken name; without it the icon is decoration. */
	label?: string;
}

export function Icon({ icon, size = 20, class: cls, label }: IconProps) {
	const name = ["icon", size === 16 ? "icon--16" : "", cls ?? ""].filter(Boolean).join(" ");
	const spoken = label ? { role: "img", "aria-label": label } : { "aria-hidden": true };
	return (
		// biome-ignore lint/a11y/noSvgWithoutTitle: named by aria-label, or hidden
		<svg class={name} viewBox="0 0 24 24" {...(spoken as object)}>
			{icon.map(([tag, attributes]) => h(tag, attributes as object))}
		</svg>
	);
}
