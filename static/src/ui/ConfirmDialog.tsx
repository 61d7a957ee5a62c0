import type { ComponentChildren } from "preact";
import { Button } from "./Button.tsx";
import { Dialog } from "./Dialog.tsx";
import { Notice } from "./Notice.tsx";

interface ConfirmDialogProps {
	open: boolean;
	title: string;
	/** The way back, first and safest: "Keep it". */
	keep: string;
	/** What is done: "Delete for good". */
	act: string;
	onClose: () => void;
	onAct: () => void;
	/** It is being done. */
	busy?: boolean;
	/** Why it was not done. */
	error?: string;
	/** What it means, in plain words. */
	children: ComponentChildren;
}

/** Asks once, in plain words, before something that cannot be taken back. */
export function ConfirmDialog({ open, title, keep, act, onClose, onAct, busy, error, children }: ConfirmDialogProps) {
	return (
		<Dialog
			open={open}
			title={title}
			onClose={onClose}
			actions={
				<>
					<Button variant="outline" onClick={onClose}>
						{keep}
					</Button>
					<Button variant="danger" busy={busy} onClick={onAct}>
						{act}
					</Button>
				</>
			}
		>
			<p>{children}</p>
			{error && (
				<Notice tone="danger" live>
					{error}
				</Notice>
			)}
		</Dialog>
	);
}
