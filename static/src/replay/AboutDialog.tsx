import { useMemo, useState } from "preact/hooks";
import { api } from "../api.ts";
import { Button } from "../ui/Button.tsx";
import { Dialog } from "../ui/Dialog.tsx";
import { count, fmtDayTime, fmtLength, names } from "../ui/time.ts";
import { WithdrawDialog } from "../ui/WithdrawDialog.tsx";
import { aboutOf, type Removed } from "./about.ts";
import { useReplay } from "./context.ts";
import { Measures } from "./Measures.tsx";

interface Props {
	open: boolean;
	onClose: () => void;
	/** The replay is to be loaded again. */
	onChanged: () => void;
}

/** What is kept of the conversation, who agreed to it, and how to take that back. */
export function AboutDialog({ open, onClose, onChanged }: Props) {
	const replay = useReplay();
	const [asking, setAsking] = useState(false);
	const about = useMemo(() => aboutOf(replay.events, replay.history.end, replay.history.recorded), [replay]);
	const mine = about.agreed.some((m) => m.id === replay.you);
	return (
		<>
			<Dialog
				open={open && !asking}
				title="About this recording"
				onClose={onClose}
				actions={
					mine && (
						<Button variant="outline" onClick={() => setAsking(true)}>
							Take back my consent…
						</Button>
					)
				}
			>
				<p>
					{about.recorded > 0 ? `Recorded: ${fmtLength(about.recorded)}. ` : "Nothing was recorded. "}
					What was said off the record is not kept.
				</p>
				{about.agreed.length > 0 && (
					<p>
						{names(
							about.agreed.map((m) => (m.id === replay.you ? "You" : m.name)),
							12,
						)}{" "}
						agreed to being recorded.
					</p>
				)}
				{about.removed.map((r) => (
					<p key={`${r.member}-${r.when}`}>
						{removedSentence(r, r.member === replay.you ? "You" : replay.nameOf(r.member))}
					</p>
				))}
				{about.recorded > 0 && <Measures />}
			</Dialog>
			<WithdrawDialog
				open={open && asking}
				during={!replay.ended}
				onClose={() => setAsking(false)}
				onWithdraw={async (removeNotes) => {
					await api.withdraw(replay.id, removeNotes);
					setAsking(false);
					onChanged();
				}}
			/>
		</>
	);
}

export function removedSentence(r: Removed, who: string): string {
	const theirs = who === "You" ? "you" : "them";
	const files =
		r.files === null
			? `What was recorded of ${theirs} is being removed.`
			: r.files === 0
				? `Nothing was recorded of ${theirs}.`
				: `What was recorded of ${theirs} was removed: ${count(r.files, "file")}.`;
	const written = r.notes ? ` What ${who === "You" ? "you" : "they"} wrote was removed, too.` : "";
	return `${fmtDayTime(r.when)}: ${who} took back ${who === "You" ? "your" : "their"} consent. ${files}${written}`;
}
