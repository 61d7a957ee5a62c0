import { useMemo, useState } from "preact/hooks";
import { api, type Keeping } from "../api.ts";
import { KeepingCard } from "../keeping/KeepingCard.tsx";
import { Button } from "../ui/Button.tsx";
import { Dialog } from "../ui/Dialog.tsx";
import { count, fmtDayTime, fmtLength, names } from "../ui/time.ts";
import { WithdrawDialog } from "../ui/WithdrawDialog.tsx";
import { aboutOf, type Removed } from "./about.ts";
import { useReplay } from "./context.ts";
import { Measures } from "./Measures.tsx";

interface Props {
	open: boolean;
	/** Once it is known. */
	keeping: Keeping | undefined;
	onKeeping: (k: Keeping) => void;
	onDelete: () => void;
	onClose: () => void;
	/** The replay is to be loaded again. */
	onChanged: () => void;
}

/** What is kept of the conversation, who agreed to it, and how to take that back. */
export function AboutDialog({ open, keeping, onKeeping, onDelete, onClose, onChanged }: Props) {
	const replay = useReplay();
	const [asking, setAsking] = useState(false);
	const about = useMemo(() => aboutOf(replay.events, replay.history.end, replay.history.recorded), [replay]);
	const held = !!keeping?.held;
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
						{removedSentence(r, r.member === replay.you ? "You" : replay.nameOf(r.member), held)}
					</p>
				))}
				{about.recorded > 0 && <Measures />}
				{keeping && <KeepingCard id={replay.id} keeping={keeping} onChanged={onKeeping} onDelete={onDelete} />}
			</Dialog>
			<WithdrawDialog
				open={open && asking}
				during={!replay.ended}
				held={held}
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

/** Under a legal hold files stay, and are shown to nobody. */
export function removedSentence(r: Removed, who: string, held = false): string {
	const theirs = who === "You" ? "you" : "them";
	const files =
		r.files === null
			? goingSentence(theirs, held)
			: r.files === 0
				? `Nothing was recorded of ${theirs}.`
				: `What was recorded of ${theirs} was removed: ${count(r.files, "file")}.`;
	const written = r.notes ? ` What ${who === "You" ? "you" : "they"} wrote was removed, too.` : "";
	return `${fmtDayTime(r.when)}: ${who} took back ${who === "You" ? "your" : "their"} consent. ${files}${written}`;
}

function goingSentence(whose: string, held: boolean): string {
	return held
		? `What was recorded of ${whose} is shown to nobody any more, and is removed when the legal hold ends.`
		: `What was recorded of ${whose} is being removed.`;
}
