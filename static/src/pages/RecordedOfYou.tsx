/** What is left of a session for who was removed from it: what was recorded of them, and the way to take that back. */
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { api, type Withdrawal } from "../api.ts";
import { useLoad, useTitle } from "../hooks.ts";
import { ReuseQuestion } from "../reuse/ReuseQuestion.tsx";
import { Button } from "../ui/Button.tsx";
import { Loading } from "../ui/Spinner.tsx";
import { Topbar } from "../ui/Topbar.tsx";
import { count } from "../ui/time.ts";
import { WithdrawDialog } from "../ui/WithdrawDialog.tsx";

interface Props {
	id: string;
	/** For who was not removed, but never was there. */
	otherwise: ComponentChildren;
}

export function RecordedOfYou({ id, otherwise }: Props) {
	const loaded = useLoad(() => api.withdrawal(id), id);
	if (loaded.cause !== undefined && !loaded.data) return <>{otherwise}</>;
	if (!loaded.data) return <Loading />;
	return <Yours id={id} kept={loaded.data} again={loaded.reload} />;
}

function Yours({ id, kept, again }: { id: string; kept: Withdrawal; again: () => void }) {
	const [asking, setAsking] = useState(false);
	useTitle("What was recorded of you");
	return (
		<div class="shell">
			<Topbar />
			<main class="page page--narrow" id="main">
				<h1>You were removed from this session</h1>
				<p class="lead" style={{ margin: "12px 0 24px" }}>
					Its replay is for those who stayed. What was recorded of you is still yours to take back.
				</p>
				<p style={{ marginBottom: "24px" }} role="status">
					{keptSentence(kept)}
				</p>
				<ReuseQuestion id={id} />
				{kept.consent === "agreed" && (
					<Button variant="outline" onClick={() => setAsking(true)}>
						Take back my consent…
					</Button>
				)}
				<WithdrawDialog
					open={asking}
					held={kept.held}
					onClose={() => setAsking(false)}
					onWithdraw={async (removeNotes) => {
						await api.withdraw(id, removeNotes);
						setAsking(false);
						again();
					}}
				/>
			</main>
		</div>
	);
}

export function keptSentence(w: Withdrawal): string {
	if (w.consent === "withdrawn") {
		if (w.files > 0 && w.held)
			return "You took back your consent. What was recorded of you is shown to nobody, and is removed when the legal hold on this session ends.";
		return w.files > 0
			? "You took back your consent. What was recorded of you is being removed, and is shown to nobody."
			: "You took back your consent. Nothing that was recorded of you is kept.";
	}
	if (w.consent !== "agreed") return "You did not agree to being recorded, so nothing of you was.";
	return w.files > 0
		? `You agreed to being recorded. ${count(w.files, "file")} with your voice or your picture ${w.files === 1 ? "is" : "are"} kept.`
		: "You agreed to being recorded. Nothing with your voice or your picture is kept.";
}
