import { Trash2 } from "lucide";
import { useState } from "preact/hooks";
import { api, type Clip } from "../api.ts";
import { useAction } from "../hooks.ts";
import { navigate } from "../router.ts";
import { Button } from "../ui/Button.tsx";
import { Dialog } from "../ui/Dialog.tsx";
import { Notice } from "../ui/Notice.tsx";
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
			<Dialog
				open={open}
				title="Delete this clip?"
				onClose={() => setOpen(false)}
				actions={
					<>
						<Button variant="outline" onClick={() => setOpen(false)}>
							Keep it
						</Button>
						<Button variant="danger" busy={remove.busy} onClick={() => remove.start()}>
							Delete for good
						</Button>
					</>
				}
			>
				<p>
					The video of “{clip.title}” is taken off the server and cannot be brought back. Sessions about it keep their
					notes and what was said, without the picture.
				</p>
				{remove.error && (
					<Notice tone="danger" live>
						{remove.error}
					</Notice>
				)}
			</Dialog>
		</>
	);
}
