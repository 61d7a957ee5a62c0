/** Which key does what. Keys act unshifted; a capital, or a letter that means nothing here, begins a note. */

export type KeyAction =
	| {
			do:
				| "play"
				| "note"
				| "mark"
				| "pause"
				| "continue"
				| "mic"
				| "camera"
				| "hand"
				| "own"
				| "draw"
				| "full"
				| "keys"
				| "close";
	  }
	| { do: "step"; frames: number }
	| { do: "jump"; ms: number }
	| { do: "write"; text: string };

export interface KeyPress {
	key: string;
	ctrlKey: boolean;
	metaKey: boolean;
	altKey: boolean;
	shiftKey: boolean;
	repeat: boolean;
	isComposing?: boolean;
}

/** What has the focus: a field takes all keys, a control takes those that work it, and a button is not worked by arrows. */
export type Focus = "field" | "control" | "button" | "nothing";

const letters: Record<string, KeyAction> = {
	n: { do: "note" },
	m: { do: "mark" },
	p: { do: "pause" },
	c: { do: "continue" },
	v: { do: "mic" },
	b: { do: "camera" },
	h: { do: "hand" },
	l: { do: "own" },
	d: { do: "draw" },
	f: { do: "full" },
};

export function keyAction(e: KeyPress, focus: Focus): KeyAction | null {
	if (e.ctrlKey || e.metaKey || e.altKey || e.isComposing) return null;
	if (e.key === "Escape") return { do: "close" };
	if (focus === "field") return null;
	if (focus !== "nothing" && (e.key === " " || e.key === "Enter")) return null;
	if (focus === "control" && e.key.startsWith("Arrow")) return null;
	switch (e.key) {
		case " ":
			return e.repeat ? null : { do: "play" };
		case ",":
			return { do: "step", frames: -1 };
		case ".":
			return { do: "step", frames: 1 };
		case "ArrowLeft":
			return { do: "jump", ms: e.shiftKey ? -10_000 : -1000 };
		case "ArrowRight":
			return { do: "jump", ms: e.shiftKey ? 10_000 : 1000 };
		case "?":
			return { do: "keys" };
	}
	if (e.repeat) return null;
	const known = letters[e.key];
	if (known) return known;
	return /^\p{L}$|^["“„«‘'(¿¡]$/u.test(e.key) ? { do: "write", text: e.key } : null;
}

/** What an element that has the focus does with keys. */
export function focusOf(el: Element | null): Focus {
	if (!el) return "nothing";
	const tag = el.tagName;
	if (tag === "TEXTAREA" || tag === "SELECT" || (el as HTMLElement).isContentEditable) return "field";
	if (tag === "INPUT")
		return /^(button|checkbox|radio|range|submit)$/.test((el as HTMLInputElement).type) ? "control" : "field";
	if (/^(slider|menuitem|menuitemradio|option|radio|switch|tab)$/.test(el.getAttribute("role") ?? "")) return "control";
	return tag === "BUTTON" || tag === "A" || tag === "SUMMARY" ? "button" : "nothing";
}

/** The list that `?` shows. */
export const keyList: [keys: string[], what: string][] = [
	[["Space"], "Play or stop"],
	[[",", "."], "One frame back or forward"],
	[["←", "→"], "One second back or forward; ten with Shift"],
	[["P"], "Call a pause"],
	[["C"], "Continue after a pause"],
	[["N"], "Write a note"],
	[["M"], "Mark this moment"],
	[["V"], "Microphone on or off"],
	[["B"], "Camera on or off"],
	[["H"], "Raise or lower your hand"],
	[["L"], "Look around in the clip on your own, and come back"],
	[["D"], "Draw on the frame, while the clip stands"],
	[["F"], "See the clip large"],
	[["?"], "These keys"],
	[["Esc"], "Close what is open"],
];
