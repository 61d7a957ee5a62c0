import "./home.css";
import { CalendarPlus, Plus } from "lucide";
import { useEffect, useRef, useState } from "preact/hooks";
import { account } from "../account.ts";
import { api, type Clip, type SessionCard } from "../api.ts";
import { useAction, useLoad, useTitle } from "../hooks.ts";
import { navigate } from "../router.ts";
import { Avatar } from "../ui/Avatar.tsx";
import { Button } from "../ui/Button.tsx";
import { EmptyState, Notice } from "../ui/Notice.tsx";
import { Progress } from "../ui/Progress.tsx";
import { Shell } from "../ui/Shell.tsx";
import { Loading } from "../ui/Spinner.tsx";
import { Thumb } from "../ui/Thumb.tsx";
import { fmtDayTime, fmtFromNow, names } from "../ui/time.ts";
import { kindWord } from "../words.ts";
import { nextOf, waitingOf } from "./next.ts";
import { ClipRow, others, SessionRow, sessionTitle } from "./rows.tsx";

export function HomePage() {
	useTitle();
	const loaded = useLoad(
		async () => {
			const [sessions, clips] = await Promise.all([api.sessions(), api.clips()]);
			return { sessions, clips };
		},
		"home",
		20_000,
	);
	const { data, error } = loaded;
	if (!data) {
		return (
			<Shell>
				{error ? (
					<EmptyState title="This page did not load" action={<Button onClick={loaded.reload}>Try again</Button>}>
						{error}
					</EmptyState>
				) : (
					<Loading />
				)}
			</Shell>
		);
	}
	const isNew = data.sessions.length === 0 && !data.clips.some((c) => c.mine);
	return (
		<Shell devices>
			{isNew ? <Newcomer clips={data.clips} /> : <Used sessions={data.sessions} clips={data.clips} />}
		</Shell>
	);
}

/** Opens a practice call. Right after the server's first start its clip is still being made: then it opens when that is done. */
function usePractice() {
	const [waiting, setWaiting] = useState(false);
	const [progress, setProgress] = useState(0);
	const go = useAction(async () => {
		const clip = (await api.clips()).find((c) => c.practice);
		if (clip?.state !== "ready") {
			setWaiting(true);
			return;
		}
		setWaiting(false);
		const plan = await api.newSession({ practice: true });
		navigate(`/s/${plan.id}`);
	});
	const start = useRef(go.start);
	start.current = go.start;
	useEffect(() => {
		if (!waiting) return;
		const look = setInterval(async () => {
			const clips = await api.clips().catch(() => []);
			const clip = clips.find((c) => c.practice);
			setProgress(clip?.progress ?? 0);
			if (clip?.state === "ready") start.current();
		}, 1500);
		return () => clearInterval(look);
	}, [waiting]);
	return { ...go, waiting, progress };
}

function PracticeWait({ go }: { go: ReturnType<typeof usePractice> }) {
	if (!go.waiting) return null;
	return (
		<div class="practice-wait">
			<p role="status">The practice clip is being made on this server. The call opens by itself in a moment.</p>
			<Progress label="Preparation of the practice clip" value={go.progress} />
		</div>
	);
}

/** Somebody who has nothing here yet sees one thing to do. */
function Newcomer({ clips }: { clips: Clip[] }) {
	const practice = clips.find((c) => c.practice && c.state === "ready");
	const go = usePractice();
	return (
		<section class="newcomer" aria-labelledby="new-h">
			<div>
				<h1 id="new-h">See what it is like, before you bring your own lesson</h1>
				<p class="lead">
					Ten minutes with a clip that is nobody’s. It stops by itself, asks a question, and waits for you.
				</p>
				<Button variant="primary" size="large" busy={go.busy || go.waiting} onClick={() => go.start()}>
					Try a call with the practice clip
				</Button>
				<PracticeWait go={go} />
				{go.error && (
					<p class="field__error" role="alert">
						{go.error}
					</p>
				)}
				<p class="after">Nothing is recorded. Nobody else sees it.</p>
				<p class="also quiet">
					Or begin with your own: <a href="/clips/new">add a clip</a>, <a href="/sessions/new">plan a session</a>.
				</p>
			</div>
			<div class="scene" aria-hidden="true">
				<Thumb clip={practice?.id} class="picture" />
				<div class="cardlet">
					<p>
						<i class="diamond" />
						Pause
					</p>
					<strong>What do you notice before anyone speaks?</strong>
				</div>
			</div>
		</section>
	);
}

function greeting(name: string): string {
	const hour = new Date().getHours();
	const part = hour < 5 ? "evening" : hour < 12 ? "morning" : hour < 18 ? "afternoon" : "evening";
	return `Good ${part}, ${name.trim().split(/\s+/)[0] ?? name}`;
}

function Used({ sessions, clips }: { sessions: SessionCard[]; clips: Clip[] }) {
	const next = nextOf(sessions, Date.now());
	const rest = sessions.filter((s) => s !== next);
	const mine = clips.filter((c) => c.mine);
	const shown = mine.length > 0 ? mine : clips;
	return (
		<>
			<h1 class="greeting">{greeting(account.value?.name ?? "")}</h1>
			{next ? <Next s={next} /> : <NothingPlanned />}
			<Waiting sessions={sessions} clips={clips} />
			<h2 class="section-head">
				{rest.some((s) => s.state === "planned") ? "Other sessions" : "Recent sessions"}
				<Button size="small" icon={CalendarPlus} href="/sessions/new">
					Plan a session
				</Button>
			</h2>
			{rest.length > 0 ? (
				<ul class="list">
					{rest.slice(0, 5).map((s) => (
						<SessionRow key={s.id} s={s} />
					))}
				</ul>
			) : (
				<p class="quiet">What you have talked about is kept here.</p>
			)}
			{rest.length > 5 && <More href="/sessions" label="All sessions" />}
			<h2 class="section-head">
				Your clips
				<Button size="small" icon={Plus} href="/clips/new">
					Add a clip
				</Button>
			</h2>
			{shown.length > 0 ? (
				<ul class="list">
					{shown.slice(0, 5).map((c) => (
						<ClipRow key={c.id} c={c} />
					))}
				</ul>
			) : (
				<p class="quiet">None yet. Only you see a clip, until you take it into a session.</p>
			)}
			{shown.length > 5 && <More href="/clips" label="All clips" />}
		</>
	);
}

function More({ href, label }: { href: string; label: string }) {
	return (
		<p style={{ marginTop: "12px" }}>
			<a href={href}>{label}</a>
		</p>
	);
}

function Next({ s }: { s: SessionCard }) {
	const people = others(s);
	const soon = s.scheduled ? `· ${fmtFromNow(s.scheduled)}` : "";
	return (
		<section class="card nextup" aria-label="Next session">
			<Thumb clip={s.clip} class="picture" />
			<div>
				<p>
					{s.state === "live" ? (
						<>
							<time dateTime={s.opened ?? undefined}>Open now</time>{" "}
							<span class="quiet">· {s.inside > 0 ? `${s.inside} inside` : "nobody is inside"}</span>
						</>
					) : s.scheduled ? (
						<>
							<time dateTime={s.scheduled}>{fmtDayTime(s.scheduled)}</time> <span class="quiet">{soon}</span>
						</>
					) : (
						<span class="quiet">No date yet</span>
					)}
				</p>
				<h2>{sessionTitle(s)}</h2>
				<p class="quiet">{s.title && s.focus ? s.focus : kindWord[s.kind]}</p>
				{people.length > 0 && (
					<p class="people">
						<span class="avatars">
							{people.slice(0, 4).map((name) => (
								<Avatar key={name} name={name} />
							))}
						</span>
						{names(people)}
					</p>
				)}
			</div>
			<div class="nextup__do">
				<Button variant="primary" size="large" href={`/s/${s.id}`}>
					Join
				</Button>
				{s.state === "planned" && s.mine && (
					<Button variant="quiet" size="small" href={`/s/${s.id}/plan`}>
						Open the plan
					</Button>
				)}
			</div>
		</section>
	);
}

function NothingPlanned() {
	const go = usePractice();
	return (
		<>
			<section class="card nextup nextup--plain" aria-label="Next session">
				<div>
					<h2>Nothing is planned</h2>
					<p class="quiet">Plan a conversation about a clip, or try a call with the practice clip once more.</p>
				</div>
				<div class="nextup__do">
					<Button variant="primary" href="/sessions/new">
						Plan a session
					</Button>
					<Button variant="quiet" size="small" busy={go.busy || go.waiting} onClick={() => go.start()}>
						Try a call with the practice clip
					</Button>
				</div>
			</section>
			<PracticeWait go={go} />
			{go.error && (
				<Notice tone="danger" live>
					{go.error}
				</Notice>
			)}
		</>
	);
}

/** What waits for the reader's hand. */
function Waiting({ sessions, clips }: { sessions: SessionCard[]; clips: Clip[] }) {
	const waiting = waitingOf(sessions, clips);
	if (waiting.length === 0) return null;
	return (
		<section class="waiting" aria-label="Waiting for you">
			{waiting.map((w) => (
				<article class="card wait" key={w.href}>
					<Thumb clip={w.clip} />
					<div>
						<p>{w.title}</p>
						<p class="quiet">{w.sentence}</p>
					</div>
					<Button variant="outline" size="small" href={w.href}>
						{w.action}
					</Button>
				</article>
			))}
		</section>
	);
}
