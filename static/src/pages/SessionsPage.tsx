import { CalendarPlus } from "lucide";
import { api, type SessionCard } from "../api.ts";
import { useLoad, useTitle } from "../hooks.ts";
import { Button } from "../ui/Button.tsx";
import { EmptyState } from "../ui/Notice.tsx";
import { Shell } from "../ui/Shell.tsx";
import { Loading } from "../ui/Spinner.tsx";
import { SessionRow } from "./rows.tsx";

export function SessionsPage() {
	useTitle("Sessions");
	const { data, error, reload } = useLoad(api.sessions, "sessions", 20_000);
	return (
		<Shell devices>
			<div class="page__head">
				<h1>Sessions</h1>
				<Button variant="primary" icon={CalendarPlus} href="/sessions/new">
					Plan a session
				</Button>
			</div>
			{!data && !error && <Loading />}
			{!data && error && (
				<EmptyState title="Your sessions did not load" action={<Button onClick={reload}>Try again</Button>}>
					{error}
				</EmptyState>
			)}
			{data?.length === 0 && (
				<EmptyState title="No sessions yet">
					A session is one call about one clip. You plan it, send the links, and everybody watches together.
				</EmptyState>
			)}
			{data && <Groups sessions={data} />}
		</Shell>
	);
}

function Groups({ sessions }: { sessions: SessionCard[] }) {
	const time = (s: SessionCard) => (s.scheduled ? Date.parse(s.scheduled) : Number.POSITIVE_INFINITY);
	const groups: [string, SessionCard[]][] = [
		["Open now", sessions.filter((s) => s.state === "live")],
		["Planned", sessions.filter((s) => s.state === "planned").sort((a, b) => time(a) - time(b))],
		["Past", sessions.filter((s) => s.state === "ended")],
	];
	return (
		<>
			{groups
				.filter(([, list]) => list.length > 0)
				.map(([title, list]) => (
					<section key={title} aria-label={title}>
						<h2 class="section-head">{title}</h2>
						<ul class="list">
							{list.map((s) => (
								<SessionRow key={s.id} s={s} />
							))}
						</ul>
					</section>
				))}
		</>
	);
}
