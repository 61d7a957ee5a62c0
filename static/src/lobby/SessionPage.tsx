import { useEffect, useState } from "preact/hooks";
import { account } from "../account.ts";
import { ApiError, api, type Door, sentenceOf } from "../api.ts";
import type { Entry } from "../entry.ts";
import { useLoad, useTitle } from "../hooks.ts";
import { Deleted } from "../keeping/ReceiptsPage.tsx";
import { keepingSentence } from "../keeping/words.ts";
import { lazy } from "../lazy.tsx";
import { LoadFailed, NotFoundPage } from "../pages/NotFoundPage.tsx";
import { RecordedOfYou } from "../pages/RecordedOfYou.tsx";
import { ReuseQuestion } from "../reuse/ReuseQuestion.tsx";
import { type Params, takeToken } from "../router.ts";
import { Button } from "../ui/Button.tsx";
import { Loading } from "../ui/Spinner.tsx";
import { Brand } from "../ui/Topbar.tsx";
import { LobbyPage } from "./LobbyPage.tsx";

const CallPage = lazy(() => import("../call/CallPage.tsx").then((m) => m.CallPage));

type Stage = { at: "door" } | { at: "call"; entry: Entry } | { at: "left"; ended: boolean };

/** A session's address: its door, then the call, then the way on. */
export function SessionPage({ params }: { params: Params }) {
	const id = params.id!;
	const [token] = useState(() => takeToken(`/s/${id}`));
	const [door, setDoor] = useState<Door>();
	const [failure, setFailure] = useState<unknown>();
	const [round, setRound] = useState(0);
	const [stage, setStage] = useState<Stage>({ at: "door" });
	const waiting = stage.at === "door" && failure === undefined;

	useEffect(() => {
		if (!waiting) return;
		let gone = false;
		let timer: ReturnType<typeof setTimeout> | undefined;
		let known = false;
		const look = async () => {
			try {
				const seen = await knock(id, token, known);
				known = true;
				if (!gone) setDoor(seen);
			} catch (e) {
				// Once inside the lobby, a lost connection is waited out.
				if (!gone && !(known && e instanceof ApiError && e.status === 0)) setFailure(e);
			}
			if (!gone) timer = setTimeout(look, 2000);
		};
		look();
		return () => {
			gone = true;
			clearTimeout(timer);
		};
	}, [id, token, waiting, round]);

	if (stage.at === "call") {
		return (
			<CallPage sessionId={id} enter={stage.entry} onLeft={(how) => setStage({ at: "left", ended: !!how?.ended })} />
		);
	}
	if (stage.at === "left") {
		return <LeftPage id={id} ended={stage.ended} door={door} member again={() => setStage({ at: "door" })} />;
	}
	if (failure !== undefined) {
		return (
			<NotIn
				id={id}
				failure={failure}
				token={token}
				again={() => {
					setFailure(undefined);
					setRound(round + 1);
				}}
			/>
		);
	}
	if (!door) return <Loading />;
	if (door.session.state === "ended") return <LeftPage id={id} ended door={door} member={door.attended} />;
	return <LobbyPage id={id} door={door} token={token} onEnter={(entry) => setStage({ at: "call", entry })} />;
}

/** A member looks; anybody else shows the invitation. An old link of a member does not keep them out. */
async function knock(id: string, token: string, again: boolean): Promise<Door> {
	if (!token) return api.door(id);
	try {
		if (again) {
			const seen = await api.door(id).catch(() => null);
			if (seen) return seen;
		}
		return await api.enter(id, token);
	} catch (e) {
		if (!(e instanceof ApiError) || (e.status !== 403 && e.status !== 404)) throw e;
		return api.door(id).catch(() => {
			throw e;
		});
	}
}

interface NotInProps {
	id: string;
	failure: unknown;
	token: string;
	again: () => void;
}

function NotIn({ id, failure, token, again }: NotInProps) {
	useTitle("Session");
	const status = failure instanceof ApiError ? failure.status : -1;
	if (status === 0 || status >= 500 || status === -1)
		return <LoadFailed sentence={sentenceOf(failure)} again={again} />;
	return <RecordedOfYou id={id} otherwise={<Deleted id={id} otherwise={<NotInvited token={token} />} />} />;
}

function NotInvited({ token }: { token: string }) {
	if (token) {
		return (
			<LeftFrame title="This invitation no longer lets anybody in">
				<p class="lead">
					It was replaced or taken back, or a part of the link is missing. Ask whoever sent it for a new one.
				</p>
			</LeftFrame>
		);
	}
	if (account.value) return <NotFoundPage />;
	return (
		<LeftFrame title="An invitation is needed">
			<p class="lead">
				Open the whole link that you were sent: it ends in # and a long word. If you have an account here, sign in.
			</p>
			<Button variant="primary" size="large" href={`/signin?to=${encodeURIComponent(location.pathname)}`}>
				Sign in
			</Button>
		</LeftFrame>
	);
}

function LeftFrame({ title, children }: { title: string; children: preact.ComponentChildren }) {
	return (
		<div class="lobby-page">
			<header class="topbar topbar--page">
				<Brand />
			</header>
			<main class="left-page" id="main">
				<h1>{title}</h1>
				{children}
			</main>
		</div>
	);
}

/** For how long it is kept, once that is known. */
function Kept({ id }: { id: string }) {
	const { data } = useLoad(() => api.keeping(id), id);
	if (!data) return null;
	return (
		<p class="quiet" role="status">
			{keepingSentence(data)}
		</p>
	);
}

interface LeftProps {
	id: string;
	ended: boolean;
	door?: Door;
	/** They were in it: the door may be from before they came in. */
	member: boolean;
	again?: () => void;
}

function LeftPage({ id, ended, door, member, again }: LeftProps) {
	const name = door ? door.session.title || door.session.focus : "";
	useTitle(ended ? "Ended" : "You have left", name);
	return (
		<LeftFrame title={ended ? "This session has ended" : "You have left"}>
			<p class="lead">
				{ended
					? member
						? "What was said and written beside the clip is kept for those who were here."
						: "It is kept for those who were here."
					: "The others can go on. You can come back while the session is open."}
			</p>
			{member && <Kept id={id} />}
			{member && ended && <ReuseQuestion id={id} />}
			<div class="row">
				{!ended && again && (
					<Button variant="primary" size="large" onClick={again}>
						Come back
					</Button>
				)}
				{member && (
					<Button variant={ended ? "primary" : "outline"} size="large" href={`/s/${id}/replay`}>
						{ended ? "See the replay" : "See what was so far"}
					</Button>
				)}
				{account.value && (
					<Button variant="quiet" size="large" href="/">
						Go home
					</Button>
				)}
			</div>
		</LeftFrame>
	);
}
