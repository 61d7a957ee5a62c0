import { api, type Reuse } from "../api.ts";
import { useAction } from "../hooks.ts";
import { Button } from "../ui/Button.tsx";
import { Dialog } from "../ui/Dialog.tsx";
import { Notice } from "../ui/Notice.tsx";
import { Progress } from "../ui/Progress.tsx";
import { standing } from "./words.ts";

interface Props {
	id: string;
	reuse: Reuse;
	open: boolean;
	onClose: () => void;
	onChanged: (r: Reuse) => void;
}

/** Asks everybody who is in a recording for a clip of it, and tells how far that is. */
export function ReuseDialog({ id, reuse, open, onClose, onChanged }: Props) {
	const ask = useAction(async () => onChanged(await api.askReuse(id)));
	const asks = reuse.state === "none" || reuse.state === "declined" || reuse.state === "taken-back";
	const again = reuse.mine && reuse.state === "failed";
	return (
		<Dialog
			open={open}
			title="A clip of this conversation"
			onClose={onClose}
			actions={
				<>
					<Button variant="outline" onClick={onClose}>
						Close
					</Button>
					{(asks || again) && (
						<Button variant="primary" busy={ask.busy} onClick={() => ask.start()}>
							{again ? "Try again" : "Ask everybody in it"}
						</Button>
					)}
					{reuse.state === "ready" && (
						<Button variant="primary" href={`/clips/${reuse.clip}`}>
							Open the clip
						</Button>
					)}
				</>
			}
		>
			<Standing reuse={reuse} />
			{asks && <What />}
			{ask.error && (
				<Notice tone="danger" live>
					{ask.error}
				</Notice>
			)}
		</Dialog>
	);
}

function Standing({ reuse }: { reuse: Reuse }) {
	const said = standing(reuse);
	if (!said) return null;
	if (reuse.state === "failed")
		return (
			<Notice tone="danger" live>
				{said}
			</Notice>
		);
	const progress = reuse.state === "filming" || reuse.state === "preparing";
	return (
		<>
			<p role="status">{said}</p>
			{progress && <Progress label="The clip is being made" value={reuse.progress || undefined} />}
		</>
	);
}

/** What happens, who is asked, and for how long it is there. */
function What() {
	return (
		<>
			<p>
				Coaching is worth a close look, too. The recording becomes a clip of yours: faces, voices, and the clip that you
				watched. You can plan a session about it, to learn from how you talked; those whom you invite to that see it.
			</p>
			<p>
				Everybody who is in the recording is asked first, and whose clip you watched; you agree by asking. Nothing is
				made before all agree.
			</p>
			<p class="quiet">
				The clip is removed when one of them takes back their consent to being recorded, and when this session is
				deleted, by hand or because its time is over.
			</p>
		</>
	);
}
