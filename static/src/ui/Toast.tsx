import { signal } from "@preact/signals";
import { X } from "lucide";
import { IconButton } from "./Button.tsx";

interface Toast {
	id: number;
	text: string;
	action?: { label: string; run: () => void };
}

const toasts = signal<Toast[]>([]);
const spoken = signal<{ polite: string; now: string }>({ polite: "", now: "" });
let last = 0;

/** Shows and speaks a sentence for a few seconds, longer if something can be done about it. */
export function toast(text: string, action?: Toast["action"]): void {
	const id = ++last;
	toasts.value = [...toasts.value.filter((t) => t.text !== text), { id, text, action }].slice(-3);
	setTimeout(() => dismiss(id), action ? 10_000 : 5_000);
}

/** Speaks a sentence to screen readers without showing it; "now" interrupts. */
export function announce(text: string, when: "polite" | "now" = "polite"): void {
	// The same sentence twice is spoken twice only if the text differs.
	const old = spoken.value[when];
	spoken.value = { ...spoken.value, [when]: old === text ? `${text}\u00a0` : text };
}

function dismiss(id: number): void {
	toasts.value = toasts.value.filter((t) => t.id !== id);
}

/** Once in the app. */
export function Toasts() {
	return (
		<>
			<div class="vh" role="status">
				{spoken.value.polite}
			</div>
			<div class="vh" role="alert">
				{spoken.value.now}
			</div>
			<div class="toasts" role="status">
				{toasts.value.map((t) => (
					<div class="toast" key={t.id}>
						<span>{t.text}</span>
						{t.action && (
							<button
								class="btn"
								type="button"
								onClick={() => {
									dismiss(t.id);
									t.action?.run();
								}}
							>
								{t.action.label}
							</button>
						)}
						<IconButton icon={X} label="Dismiss" onClick={() => dismiss(t.id)} />
					</div>
				))}
			</div>
		</>
	);
}
