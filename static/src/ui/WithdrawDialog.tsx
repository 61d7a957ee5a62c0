import { useState } from "preact/hooks";
import { useAction } from "../hooks.ts";
import { Button } from "./Button.tsx";
import { Dialog } from "./Dialog.tsx";
import { Check } from "./Field.tsx";
import { Notice } from "./Notice.tsx";

interface WithdrawDialogProps {
	open: boolean;
	/** The session goes on: the recording stops, too. */
	during?: boolean;
	/** A legal hold keeps files until it ends. */
	held?: boolean;
	onClose: () => void;
	onWithdraw: (removeNotes: boolean) => Promise<void>;
}

/** Takes back that one agreed to being recorded; what one wrote stays or goes, by a plain choice. */
export function WithdrawDialog({ open, during, held, onClose, onWithdraw }: WithdrawDialogProps) {
	const [notes, setNotes] = useState(false);
	const act = useAction(onWithdraw);
	return (
		<Dialog
			open={open}
			title="Take back your consent?"
			onClose={onClose}
			actions={
				<>
					<Button variant="outline" onClick={onClose}>
						Keep it as it is
					</Button>
					<Button variant="danger" busy={act.busy} onClick={() => act.start(notes)}>
						Take it back
					</Button>
				</>
			}
		>
			<p>
				{during && "The recording stops for everyone. "}
				Your voice, your picture and your shared screen are removed from what was recorded. This cannot be undone.
				Everyone can see that they were removed. If the recording has become a clip, that is removed, too.
			</p>
			{held && (
				<Notice>
					This session is under a legal hold. What was recorded of you is shown to nobody from now on; its files are
					removed when the hold ends.
				</Notice>
			)}
			<Check
				label="Remove what I wrote, too"
				hint="Your notes, replies, answers and drawings are shown to nobody any more. Otherwise they stay."
				checked={notes}
				onChange={setNotes}
			/>
			{act.error && (
				<Notice tone="danger" live>
					{act.error}
				</Notice>
			)}
		</Dialog>
	);
}
