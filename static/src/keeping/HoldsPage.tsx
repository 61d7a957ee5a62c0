/** For an administrator: which sessions there are, and which of them are under a legal hold. Nothing of what is in them. */
import { useState } from "preact/hooks";
import { api, type KeptSession } from "../api.ts";
import { useAction, useTitle } from "../hooks.ts";
import { Button } from "../ui/Button.tsx";
import { Dialog } from "../ui/Dialog.tsx";
import { TextArea } from "../ui/Field.tsx";
import { EmptyState, Notice } from "../ui/Notice.tsx";
import { Shell } from "../ui/Shell.tsx";
import { Loading } from "../ui/Spinner.tsx";
import { count, fmtDay, fmtLength, midSentence } from "../ui/time.ts";
import { kindWord } from "../words.ts";
import { More, usePages } from "./pages.tsx";
import { keptFor } from "./words.ts";
import "./keeping.css";

export function HoldsPage() {
	useTitle("Legal holds");
	const list = usePages(api.kept, "kept");
	const { entries, error, reload } = list;
	const [chosen, choose] = useState<KeptSession | null>(null);
	return (
		<Shell narrow>
			<h1>Legal holds</h1>
			<p class="lead" style={{ margin: "8px 0 24px" }}>
				While a session is under a legal hold nothing of it is deleted, by nobody. Those who were in it see that, and
				why. You see here that there are sessions, not what is in them.
			</p>
			{!entries && !error && <Loading />}
			{!entries && error && (
				<EmptyState title="The sessions did not load" action={<Button onClick={reload}>Try again</Button>}>
					{error}
				</EmptyState>
			)}
			{entries?.length === 0 && <EmptyState title="No session has begun yet" />}
			{entries && entries.length > 0 && (
				<ul class="list">
					{entries.map((s) => (
						<HeldRow key={s.id} s={s} onChoose={() => choose(s)} />
					))}
				</ul>
			)}
			<More of={list} />
			<HoldDialog
				key={chosen?.id}
				s={chosen}
				onClose={() => choose(null)}
				onDone={() => {
					choose(null);
					reload();
				}}
			/>
		</Shell>
	);
}

function HeldRow({ s, onChoose }: { s: KeptSession; onChoose: () => void }) {
	const recorded = s.recordedFor > 0 ? `${fmtLength(s.recordedFor)} recorded` : "not recorded";
	return (
		<li class="kept">
			<div>
				<strong>{titleOf(s)}</strong>
				<p>
					Planned by {s.planner}, {count(s.people, "person", "people")}, {recorded}. Kept {keptFor(s.days)}.
				</p>
				{s.held && (
					<p>
						Held since {midSentence(fmtDay(s.held))}: {s.reason}
					</p>
				)}
			</div>
			<Button variant="outline" size="small" onClick={onChoose} aria-label={`${action(s)}: ${titleOf(s)}`}>
				{action(s)}
			</Button>
		</li>
	);
}

const action = (s: KeptSession) => (s.held ? "End the hold…" : "Hold it…");

const titleOf = (s: KeptSession) => `${kindWord[s.kind]} of ${midSentence(fmtDay(s.opened))}, ${fmtLength(s.duration)}`;

interface HoldDialogProps {
	s: KeptSession | null;
	onClose: () => void;
	onDone: () => void;
}

function HoldDialog({ s, onClose, onDone }: HoldDialogProps) {
	const [reason, setReason] = useState("");
	const on = !s?.held;
	const act = useAction(async () => {
		if (!s) return;
		await api.legalHold(s.id, on, reason);
		onDone();
	});
	return (
		<Dialog
			open={s !== null}
			title={on ? "Hold this session?" : "End this legal hold?"}
			onClose={onClose}
			actions={
				<>
					<Button variant="outline" onClick={onClose}>
						Leave it as it is
					</Button>
					<Button variant={on ? "primary" : "danger"} busy={act.busy} onClick={() => act.start()}>
						{on ? "Hold it" : "End the hold"}
					</Button>
				</>
			}
		>
			{on ? (
				<>
					<p>
						Nothing of it is deleted until you end the hold: not by who planned it, and not when its time is over. What
						people take back is hidden at once, and removed when the hold ends.
					</p>
					<TextArea
						label="Why"
						value={reason}
						onInput={setReason}
						maxLength={500}
						rows={2}
						hint="Everybody who was in the session reads this."
					/>
				</>
			) : (
				<p>What people took back meanwhile is removed at once. If the session’s time is over, it is deleted.</p>
			)}
			{act.error && (
				<Notice tone="danger" live>
					{act.error}
				</Notice>
			)}
		</Dialog>
	);
}
