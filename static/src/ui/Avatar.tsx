/** The hue of somebody without a picture: always the same for one name, on every page. */
export function hueOf(name: string): number {
	let hash = 2166136261;
	for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 16777619);
	return (hash >>> 0) % 360;
}

/** The first letters of the first and the last word of a name; one letter for a single word. */
export function initialsOf(name: string): string {
	const words = name.trim().split(/\s+/).filter(Boolean);
	const first = [...(words[0] ?? "")][0] ?? "";
	const last = words.length > 1 ? ([...(words.at(-1) ?? "")][0] ?? "") : "";
	return (first + last).toLocaleUpperCase();
}

interface AvatarProps {
	name: string;
	size?: 20 | 28 | 40;
	class?: string;
}

/** Decoration beside a name that is written out; it is not spoken. */
export function Avatar({ name, size = 28, class: cls }: AvatarProps) {
	const c = ["avatar", size === 28 ? "" : `avatar--${size}`, cls ?? ""].filter(Boolean).join(" ");
	// Drawn, not written: the initials are no text to be read or selected.
	return <span class={c} style={{ "--h": String(hueOf(name)) }} data-initials={initialsOf(name)} aria-hidden="true" />;
}
