/** What was deleted: receipts, for those who were there. */
import { Download } from "lucide";
import type { ComponentChildren } from "preact";
import { api, type Receipt, urls } from "../api.ts";
import { useLoad, useTitle } from "../hooks.ts";
import { Button } from "../ui/Button.tsx";
import { EmptyState } from "../ui/Notice.tsx";
import { Shell } from "../ui/Shell.tsx";
import { Loading } from "../ui/Spinner.tsx";
import { fmtDay, fmtLength, midSentence } from "../ui/time.ts";
import { More, usePages } from "./pages.tsx";
import { receiptSentence } from "./words.ts";
import "./keeping.css";

export function ReceiptsPage() {
	useTitle("Deleted sessions");
	const list = usePages(api.receipts, "receipts");
	const { entries, error, reload } = list;
	return (
		<Shell narrow>
			<h1>Deleted sessions</h1>
			<p class="lead" style={{ margin: "8px 0 24px" }}>
				Of a session that was deleted, a receipt is left: which files there were, when they went and why. None of your
				words is in it.
			</p>
			{!entries && !error && <Loading />}
			{!entries && error && (
				<EmptyState title="The receipts did not load" action={<Button onClick={reload}>Try again</Button>}>
					{error}
				</EmptyState>
			)}
			{entries?.length === 0 && (
				<EmptyState title="Nothing was deleted">No session that you were in has been deleted yet.</EmptyState>
			)}
			{entries && entries.length > 0 && (
				<ul class="list">
					{entries.map((r) => (
						<ReceiptRow key={r.session} r={r} />
					))}
				</ul>
			)}
			<More of={list} />
		</Shell>
	);
}

function titleOf(r: Receipt): string {
	return r.opened
		? `Session of ${midSentence(fmtDay(r.opened))}, ${fmtLength(r.duration)}`
		: "A session that had not begun";
}

function ReceiptRow({ r }: { r: Receipt }) {
	return (
		<li class="kept">
			<div>
				<strong>{titleOf(r)}</strong>
				<p>{receiptSentence(r)}</p>
			</div>
			<SaveReceipt r={r} />
		</li>
	);
}

function SaveReceipt({ r }: { r: Receipt }) {
	return (
		<Button variant="outline" size="small" icon={Download} href={urls.receipt(r.session)}>
			Save the receipt
		</Button>
	);
}

/** In the place of a session that was deleted, for who was in it; something else for anybody else. */
export function Deleted({ id, otherwise }: { id: string; otherwise: ComponentChildren }) {
	const loaded = useLoad(() => api.receipt(id), id);
	if (loaded.cause !== undefined && !loaded.data) return <>{otherwise}</>;
	if (!loaded.data) return <Loading />;
	return <DeletedPage r={loaded.data} />;
}

function DeletedPage({ r }: { r: Receipt }) {
	useTitle("Deleted");
	return (
		<Shell narrow>
			<h1>This session was deleted</h1>
			<p class="lead" style={{ margin: "12px 0 24px" }}>
				{receiptSentence(r)} A receipt says what there was; none of your words is in it.
			</p>
			<SaveReceipt r={r} />
		</Shell>
	);
}
