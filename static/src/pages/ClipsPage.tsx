import { Plus } from "lucide";
import { api } from "../api.ts";
import { useLoad, useTitle } from "../hooks.ts";
import { Button } from "../ui/Button.tsx";
import { EmptyState } from "../ui/Notice.tsx";
import { Shell } from "../ui/Shell.tsx";
import { Loading } from "../ui/Spinner.tsx";
import { ClipRow } from "./rows.tsx";

export function ClipsPage() {
	useTitle("Clips");
	const { data, error, reload } = useLoad(api.clips, "clips", 5000);
	const mine = data?.filter((c) => c.mine) ?? [];
	const others = data?.filter((c) => !c.mine) ?? [];
	return (
		<Shell>
			<div class="page__head">
				<h1>Clips</h1>
				<Button variant="primary" icon={Plus} href="/clips/new">
					Add a clip
				</Button>
			</div>
			{!data && !error && <Loading />}
			{!data && error && (
				<EmptyState title="Your clips did not load" action={<Button onClick={reload}>Try again</Button>}>
					{error}
				</EmptyState>
			)}
			{data && mine.length === 0 && (
				<EmptyState title="None of your own yet">
					A clip is a part of a lesson that you filmed. Only you see it, until you take it into a session.
				</EmptyState>
			)}
			{mine.length > 0 && (
				<ul class="list">
					{mine.map((c) => (
						<ClipRow key={c.id} c={c} />
					))}
				</ul>
			)}
			{others.length > 0 && (
				<section aria-label="Shown to you">
					<h2 class="section-head">Shown to you</h2>
					<ul class="list">
						{others.map((c) => (
							<ClipRow key={c.id} c={c} />
						))}
					</ul>
				</section>
			)}
		</Shell>
	);
}
