import { Trash2 } from "lucide";
import { useState } from "preact/hooks";
import { api, type Clip } from "../api.ts";
import { useAction } from "../hooks.ts";
import { navigate } from "../router.ts";
import { Button } from "../ui/Button.tsx";
import { ConfirmDialog } from "../ui/ConfirmDialog.tsx";
import { toast } from "../ui/Toast.tsx";

/** A button that asks once, in plain words, and then deletes. */
export function DeleteClip({ clip, label = "Delete this clip" }: { clip: Clip; label?: string }) {
	const [open, setOpen] = useState(false);
	const remove = useAction(async () => {
		await api.deleteClip(clip.id);
		toast("The clip is deleted.");
		navigate("/clips", { replace: true });
	});
	return (
		<>
			<Button variant="leave" icon={Trash2} onClick={() => setOpen(true)}>
				{label}
			</Button>
			<ConfirmDialog
				open={open}
				title="Delete this clip?"
				keep="Keep it"
				act="Delete for good"
				onClose={() => setOpen(false)}
				onAct={() => remove.start()}
				busy={remove.busy}
				error={remove.error}
			>
				The video of “{clip.title}” is taken off the server and cannot be brought back. Sessions about it keep their
				notes and what was said, without the picture.
			</ConfirmDialog>
		</>
	);
}
