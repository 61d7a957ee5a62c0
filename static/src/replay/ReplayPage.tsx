/** A session afterwards: the conversation beside the clip, as it was at every moment. */
import {
	ArrowLeft,
	Captions,
	Clapperboard,
	Download,
	Eye,
	FastForward,
	FileBraces,
	FileSpreadsheet,
	Film,
	Info,
	Link as LinkIcon,
	VolumeOff,
} from "lucide";
import { useEffect, useState } from "preact/hooks";
import { account } from "../account.ts";
import { ApiError, api, type Replay, sentenceOf, urls } from "../api.ts";
import type { ReplayPageProps } from "../entry.ts";
import { useLoad, useTitle } from "../hooks.ts";
import { DeleteSession } from "../keeping/KeepingCard.tsx";
import { Deleted } from "../keeping/ReceiptsPage.tsx";
import { keepingNote } from "../keeping/words.ts";
import { LoadFailed, NotFoundPage } from "../pages/NotFoundPage.tsx";
import { RecordedOfYou } from "../pages/RecordedOfYou.tsx";
import { ReuseDialog } from "../reuse/ReuseDialog.tsx";
import { ReuseQuestion } from "../reuse/ReuseQuestion.tsx";
import { underWay } from "../reuse/words.ts";
import { Button, IconButton } from "../ui/Button.tsx";
import { Icon } from "../ui/Icon.tsx";
import { Menu, type MenuItem } from "../ui/Menu.tsx";
import { EmptyState, Notice } from "../ui/Notice.tsx";
import { Loading } from "../ui/Spinner.tsx";
import { toast } from "../ui/Toast.tsx";
import { Topbar } from "../ui/Topbar.tsx";
import { fmtClock, fmtDayTime, midSentence } from "../ui/time.ts";
import { AboutDialog } from "./AboutDialog.tsx";
import { Bar } from "./Bar.tsx";
import { ReplayProvider, useReplay } from "./context.ts";
import { FilmDialog } from "./FilmDialog.tsx";
import { NotesPanel } from "./Notes.tsx";
import { Faces, Stage, Voices } from "./Pictures.tsx";
import { conversationWord, goingOn, lacking, offRecord, whoCanSee } from "./say.ts";
import { ReplaySession } from "./session.ts";
import { Timelines } from "./Timelines.tsx";
import "./replay.css";

/** How often a clip that is being made is asked after, ms. */
const EVERY = 1500;

export function ReplayPage({ sessionId }: ReplayPageProps) {
	const loaded = useLoad(() => api.replay(sessionId), sessionId);
	useTitle("Replay", (loaded.data?.view as { session?: { title?: string } } | undefined)?.session?.title);
	if (loaded.cause !== undefined && !loaded.data)
		return <NotHere id={sessionId} cause={loaded.cause} again={loaded.reload} />;
	if (!loaded.data) return <Loading label="The replay is on its way" />;
	return <Loaded id={sessionId} replay={loaded.data} again={loaded.reload} />;
}

function NotHere({ id, cause, again }: { id: string; cause: unknown; again: () => void }) {
	const e = cause instanceof ApiError ? cause : null;
	if (e?.status === 401 || e?.status === 403)
		return <RecordedOfYou id={id} otherwise={<Deleted id={id} otherwise={<NotYours />} />} />;
	if (e?.status === 404) {
		return (
			<div class="shell">
				<Topbar />
				<main class="page page--narrow" id="main">
					<EmptyState
						title="There is nothing to replay yet"
						action={
							<Button variant="primary" href={`/s/${id}`}>
								Go to the session
							</Button>
						}
					>
						{e.message}
					</EmptyState>
				</main>
			</div>
		);
	}
	return <LoadFailed sentence={sentenceOf(cause)} again={again} />;
}

function NotYours() {
	if (account.value) return <NotFoundPage />;
	return (
		<div class="shell">
			<Topbar />
			<main class="page page--narrow" id="main">
				<EmptyState
					title="This replay is kept for those who were there"
					action={
						<Button variant="primary" href={`/signin?to=${encodeURIComponent(location.pathname)}`}>
							Sign in
						</Button>
					}
				>
					Open the link that you were invited with once more, in the browser that you used then. If you have an account
					here, sign in.
				</EmptyState>
			</main>
		</div>
	);
}

function Loaded({ id, replay: data, again }: { id: string; replay: Replay; again: () => void }) {
	const [replay, set] = useState<ReplaySession | null>(null);
	useEffect(() => {
		const made = new ReplaySession(id, data);
		set(made);
		return () => made.close();
	}, [id, data]);
	if (!replay) return <Loading label="The replay is on its way" />;
	const lanes = replay.people.length;
	const stage = replay.history.end.clip || replay.lesson || replay.tracks.some((t) => t.source === "screen");
	return (
		<ReplayProvider value={replay}>
			<div
				class="replay"
				data-stage={stage ? undefined : "none"}
				data-clip={replay.history.end.clip ? true : undefined}
				style={{ "--lanes": String(lanes > 5 ? Math.ceil(lanes * 0.75) : lanes) }}
			>
				<Top again={again} />
				<main class="replay__room" id="main" tabIndex={-1}>
					<Stage />
					{!stage && <Faces fill />}
					<div class="replay__rail">
						{stage && <Faces />}
						<Said />
						<ReuseQuestion id={id} />
						<NotesPanel />
					</div>
					<Timelines />
				</main>
				<Bar />
				<Voices />
			</div>
		</ReplayProvider>
	);
}

function Top({ again }: { again: () => void }) {
	const replay = useReplay();
	const [about, setAbout] = useState(false);
	const [film, setFilm] = useState(false);
	const [deleting, setDeleting] = useState(false);
	const [clip, setClip] = useState(false);
	const keeping = useLoad(() => api.keeping(replay.id), replay.id);
	const [busy, setBusy] = useState(false);
	const reuse = useLoad(() => api.reuse(replay.id), replay.id, clip && busy ? EVERY : undefined);
	useEffect(() => setBusy(underWay(reuse.data)), [reuse.data]);
	const mayReuse = reuse.data?.may || reuse.data?.mine;
	const kept = keeping.data ? keepingNote(keeping.data) : "";
	const s = replay.history.end.session;
	const share = async () => {
		const link = `${location.origin}/s/${encodeURIComponent(replay.id)}/replay?t=${(replay.conductor.now() / 1000).toFixed(1)}`;
		try {
			await navigator.clipboard.writeText(link);
			toast("The link to this moment is copied. It works for those who can see the replay.");
		} catch {
			toast(`Copy this link by hand: ${link}`);
		}
	};
	const when = midSentence(fmtDayTime(replay.opened));
	return (
		<>
			<header class="topbar replay__top">
				<div class="topbar__title">
					<IconButton icon={ArrowLeft} label="Back to home" href="/" class="replay__back" />
					<h1>{s.title || s.focus || conversationWord[s.kind]}</h1>
					<p>
						{conversationWord[s.kind]} of <time dateTime={new Date(replay.opened).toISOString()}>{when}</time>
					</p>
				</div>
				<div class="topbar__end">
					<p class="rec">
						<Icon icon={Eye} size={16} />
						{[whoCanSee(replay.readers), kept].filter(Boolean).join(" · ")}
					</p>
					<Button variant="outline" size="small" class="only-desk" icon={LinkIcon} onClick={share}>
						Share this moment
					</Button>
					<IconButton icon={Info} label="About this recording" class="replay__about" onClick={() => setAbout(true)} />
					<Export onFilm={() => setFilm(true)} onClip={mayReuse ? () => setClip(true) : undefined} />
				</div>
			</header>
			<AboutDialog
				open={about && !deleting}
				keeping={keeping.data}
				onKeeping={keeping.set}
				onDelete={() => setDeleting(true)}
				onClose={() => setAbout(false)}
				onChanged={again}
			/>
			<DeleteSession id={replay.id} open={deleting} onClose={() => setDeleting(false)} />
			<FilmDialog open={film} onClose={() => setFilm(false)} />
			{reuse.data && (
				<ReuseDialog
					id={replay.id}
					reuse={reuse.data}
					open={clip}
					onClose={() => setClip(false)}
					onChanged={reuse.set}
				/>
			)}
		</>
	);
}

function Export({ onFilm, onClip }: { onFilm: () => void; onClip?: () => void }) {
	const { may, id, history } = useReplay();
	const scope = may.has("export-all")
		? "All notes that you may read"
		: may.has("export-shared")
			? "Shared notes and your own"
			: may.has("export-own")
				? "Your own notes"
				: null;
	if (!scope) return null;
	const items: MenuItem[] = [];
	if (history.end.clip)
		items.push({ label: "Subtitles for the clip (WebVTT)", icon: Captions, href: urls.notes(id, "vtt") });
	items.push(
		{ label: "Subtitles for the conversation (WebVTT)", icon: Captions, href: urls.notes(id, "vtt", "session") },
		{ label: "A table (CSV)", icon: FileSpreadsheet, href: urls.notes(id, "csv") },
		{ label: "For programs (JSON)", icon: FileBraces, href: urls.notes(id, "json") },
	);
	if (history.recorded.length > 0) items.push({ label: "Video and sound…", icon: Film, onSelect: onFilm });
	if (onClip) items.push({ label: "A clip of this conversation…", icon: Clapperboard, onSelect: onClip });
	return (
		<Menu label="Export" buttonClass="btn btn--small replay__export" items={items} head={scope}>
			<Icon icon={Download} size={16} />
			Export
		</Menu>
	);
}

/** One sentence where something must be said: still going on, no sound, not recorded here. */
function Said() {
	const replay = useReplay();
	const { conductor, history } = replay;
	const off = replay.offRecord.value;
	const skip = replay.skip.value;
	const missing = off ? null : replay.missingNow.value;
	if (conductor.soundRefused.value) {
		return (
			<Line
				icon={VolumeOff}
				action={
					<Button size="small" variant="outline" onClick={() => conductor.unmute()}>
						Turn the sound on
					</Button>
				}
			>
				Your browser plays without sound until you allow it.
			</Line>
		);
	}
	if (!replay.plays) {
		return (
			<Line>
				This browser cannot play the recording. You can still go through the clip, the pauses and the notes; a newer
				browser plays it all.
			</Line>
		);
	}
	if (!replay.ended) {
		return (
			<Line
				action={
					<Button size="small" variant="outline" href={`/s/${replay.id}`}>
						Back to the call
					</Button>
				}
			>
				{goingOn(replay.opened, history.duration, replay.heard, history.end.recording.state)}
			</Line>
		);
	}
	if (!off && !missing && skip === null) return replay.problem.value ? <Line>{replay.problem.value}</Line> : null;
	const action = skip !== null && (
		<Button size="small" variant="outline" icon={FastForward} onClick={() => conductor.seek(skip)}>
			Skip to {fmtClock(replay.opened + skip)}
		</Button>
	);
	return (
		<Line action={action || undefined}>
			{off
				? offRecord(off, replay.opened, history.duration)
				: missing
					? lacking(missing, replay.opened)
					: "Nothing was recorded here."}
		</Line>
	);
}

function Line(p: Parameters<typeof Notice>[0]) {
	return (
		<div class="replay__said" role="status">
			<Notice {...p} />
		</div>
	);
}
