import { useState } from "preact/hooks";
import { api, type Clip, type Plan, type PlanChange } from "../api.ts";
import { useAction } from "../hooks.ts";
import { navigate } from "../router.ts";
import { Button } from "../ui/Button.tsx";
import { ConfirmDialog } from "../ui/ConfirmDialog.tsx";
import { Dialog } from "../ui/Dialog.tsx";
import { toast } from "../ui/Toast.tsx";
import { PlanFields } from "./PlanFields.tsx";

interface DetailsProps {
	plan: Plan;
	clips: Clip[];
	change: (c: PlanChange) => void;
	open: boolean;
	onClose: () => void;
	foot: preact.ComponentChildren;
}

/** What the session is about and when, in a dialog; saved as it is written. */
export function Details({ plan, clips, change, open, onClose, foot }: DetailsProps) {
	const [asking, setAsking] = useState(false);
	const remove = useAction(async () => {
		await api.deleteSession(plan.id);
		toast("The session is deleted.");
		navigate("/sessions", { replace: true });
	});
	return (
		<>
			<Dialog
				open={open && !asking}
				wide
				title="About this session"
				onClose={onClose}
				actions={
					<>
						<Button variant="leave" onClick={() => setAsking(true)}>
							Delete this session
						</Button>
						<Button variant="primary" onClick={onClose}>
							Done
						</Button>
					</>
				}
			>
				<PlanFields value={plan} clips={clips} change={change} />
				<p>{foot}</p>
			</Dialog>
			<ConfirmDialog
				open={asking}
				title="Delete this session?"
				keep="Keep it"
				act="Delete for good"
				onClose={() => setAsking(false)}
				onAct={() => remove.start()}
				busy={remove.busy}
				error={remove.error}
			>
				The plan, its pauses and notes are deleted, and the links no longer let anybody in. The clip stays.
			</ConfirmDialog>
		</>
	);
}
