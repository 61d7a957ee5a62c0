import { X } from "lucide";
import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { IconButton } from "./Button.tsx";

export interface DialogProps {
	open: boolean;
	title: string;
	onClose: () => void;
	/** Buttons at the foot; the safest first. */
	actions?: ComponentChildren;
	wide?: boolean;
	children?: ComponentChildren;
}

/** A modal dialog: the browser keeps the focus inside, Esc and a press beside it close it. */
export function Dialog({ open, title, onClose, actions, wide, children }: DialogProps) {
	const ref = useRef<HTMLDialogElement>(null);
	const id = useId();
	useEffect(() => {
		const d = ref.current;
		if (!d) return;
		if (open && !d.open) {
			d.showModal();
			d.querySelector<HTMLElement>(".dialog__body :is(textarea, input[type='text'])")?.focus(); // a form is for writing
		}
		if (!open && d.open) d.close();
	}, [open]);
	return (
		// biome-ignore lint/a11y/useKeyWithClickEvents: Esc is the dialog's own
		<dialog
			ref={ref}
			class={wide ? "dialog dialog--wide" : "dialog"}
			aria-labelledby={id}
			onCancel={(e) => {
				e.preventDefault();
				onClose();
			}}
			onClose={() => open && onClose()}
			onClick={(e) => e.target === ref.current && onClose()}
		>
			{open && (
				<>
					<div class="dialog__head">
						<h2 id={id}>{title}</h2>
						<IconButton icon={X} label="Close" onClick={onClose} />
					</div>
					<div class="dialog__body">{children}</div>
					{actions && <div class="dialog__actions">{actions}</div>}
				</>
			)}
		</dialog>
	);
}
