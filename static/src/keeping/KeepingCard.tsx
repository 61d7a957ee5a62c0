/** For how long a session is kept: shown to everybody, changed by who planned it. */
import { Trash2 } from "lucide";
import { api, type Keeping } from "../api.ts";
import { useAction } from "../hooks.ts";
import { navigate } from "../router.ts";
import { Button } from "../ui/Button.tsx";
import { ConfirmDialog } from "../ui/ConfirmDialog.tsx";
import { Select } from "../ui/Field.tsx";
import { Notice } from "../ui/Notice.tsx";
import { toast } from "../ui/Toast.tsx";
import { keepingSentence, keepOptions } from "./words.ts";
import "./keeping.css";

interface Props {
	id: string;
	keeping: Keeping;
	onChanged: (k: Keeping) => void;
	onDelete: () => void;
}

export function KeepingCard({ id, keeping, onChanged, onDelete }: Props) {
	const keep = useAction(async (days: string) => onChanged(await api.keep(id, Number(days))));
	return (
		<section class="keeping" aria-label="How long it is kept">
			<p role="status">{keepingSentence(keeping)}</p>
			{keeping.held && <p class="quiet">Why: {keeping.reason}</p>}
			{keeping.mine && (
				<div class="keeping__own">
					<Select
						label="Keep it"
						value={String(keeping.days)}
						options={keepOptions(keeping.days)}
						onChange={(days) => keep.start(days)}
						hint="Counted from its last moment. Everybody who was there sees this."
					/>
					{!keeping.held && (
						<Button variant="leave" icon={Trash2} onClick={onDelete}>
							Delete it now…
						</Button>
					)}
				</div>
			)}
			{keep.error && (
				<Notice tone="danger" live>
					{keep.error}
				</Notice>
			)}
		</section>
	);
}

/** Asks once, in plain words, and then deletes the session with everything in it. */
export function DeleteSession({ id, open, onClose }: { id: string; open: boolean; onClose: () => void }) {
	const remove = useAction(async () => {
		await api.deleteSession(id);
		toast("The session is deleted. Everybody who was there can read the receipt.");
		navigate("/receipts", { replace: true });
	});
	return (
		<ConfirmDialog
			open={open}
			title="Delete this session?"
			keep="Keep it"
			act="Delete for good"
			onClose={onClose}
			onAct={() => remove.start()}
			busy={remove.busy}
			error={remove.error}
		>
			The recording, everybody’s notes, the plan and the links are deleted for everybody who was there, and cannot be
			brought back. The clip stays with its owner. A receipt without any of your words says what was deleted.
		</ConfirmDialog>
	);
}
