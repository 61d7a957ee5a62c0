import { account } from "../account.ts";
import { useTitle } from "../hooks.ts";
import { Button } from "../ui/Button.tsx";
import { EmptyState } from "../ui/Notice.tsx";
import { Topbar } from "../ui/Topbar.tsx";

/** Also for what is not shared with the reader: from here, both look the same. */
export function NotFoundPage() {
	useTitle("Not found");
	return (
		<div class="shell">
			<Topbar />
			<main class="page page--narrow" id="main">
				<h1>There is nothing here</h1>
				<p class="lead" style={{ margin: "12px 0 32px" }}>
					The address may be mistyped, what was here may be deleted, or it is not shared with you. If somebody sent you
					a link, open the whole link once more, or ask them for a new one.
				</p>
				<Button variant="primary" href={account.value ? "/" : "/signin"}>
					{account.value ? "Go home" : "Sign in"}
				</Button>
			</main>
		</div>
	);
}

/** For pages whose load failed: not found, or a sentence and a way to try again. */
export function LoadFailed({ sentence, again }: { sentence: string; again: () => void }) {
	return (
		<div class="shell">
			<Topbar />
			<main class="page page--narrow" id="main">
				<EmptyState
					title="This page did not load"
					action={
						<Button variant="primary" onClick={again}>
							Try again
						</Button>
					}
				>
					{sentence}
				</EmptyState>
			</main>
		</div>
	);
}
