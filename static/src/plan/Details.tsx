import { useState } from "preact/hooks";
import type { Clip, Plan, PlanChange } from "../api.ts";
import { DeleteSession } from "../keeping/KeepingCard.tsx";
import { Button } from "../ui/Button.tsx";
import { Dialog } from "../ui/Dialog.tsx";
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
			<DeleteSession id={plan.id} open={asking} onClose={() => setAsking(false)} />
		</>
	);
}
