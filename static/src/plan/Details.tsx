import { useState } from "preact/hooks";
import { api, type Clip, type Plan, type PlanChange } from "../api.ts";
import { useAction } from "../hooks.ts";
import { navigate } from "../router.ts";
import { Button } from "../ui/Button.tsx";
import { Dialog } from "../ui/Dialog.tsx";
import { Notice } from "../ui/Notice.tsx";
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
	const close = () => {
		setAsking(false);
		onClose();
	};
	return (
		<Dialog
			open={open}
			wide
			title={asking ? "Delete this session?" : "About this session"}
			onClose={close}
			actions={
				asking ? (
					<>
						<Button variant="outline" onClick={() => setAsking(false)}>
							Keep it
						</Button>
						<Button variant="danger" busy={remove.busy} onClick={() => remove.start()}>
							Delete for good
						</Button>
					</>
				) : (
					<>
						<Button variant="leave" onClick={() => setAsking(true)}>
							Delete this session
						</Button>
						<Button variant="primary" onClick={close}>
							Done
						</Button>
					</>
				)
			}
		>
			{asking ? (
				<>
					<p>The plan, its pauses and notes are deleted, and the links no longer let anybody in. The clip stays.</p>
					{remove.error && (
						<Notice tone="danger" live>
							{remove.error}
						</Notice>
					)}
				</>
			) : (
				<>
					<PlanFields value={plan} clips={clips} change={change} />
					<p>{foot}</p>
				</>
			)}
		</Dialog>
	);
}
