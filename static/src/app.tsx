import { WifiOff } from "lucide";
import { useEffect, useErrorBoundary, useState } from "preact/hooks";
import { account, loadAccount, needsSetup } from "./account.ts";
import { sentenceOf } from "./api.ts";
import { lazy } from "./lazy.tsx";
import { NotFoundPage } from "./pages/NotFoundPage.tsx";
import { navigate, type Params, path, pick } from "./router.ts";
import { Button } from "./ui/Button.tsx";
import { EmptyState, Notice } from "./ui/Notice.tsx";
import { Loading } from "./ui/Spinner.tsx";
import { Toasts } from "./ui/Toast.tsx";
import { Topbar } from "./ui/Topbar.tsx";

interface PageProps {
	params: Params;
}

/** Who may see a page: anybody; people with an account; or whoever the server lets in (guests of a session too). */
type For = "anybody" | "account";

const page = (load: () => Promise<preact.ComponentType<PageProps>>, who: For = "account") => ({
	Page: lazy(load),
	who,
});

const routes = [
	["/", page(() => import("./pages/HomePage.tsx").then((m) => m.HomePage))],
	["/setup", page(() => import("./pages/DoorPages.tsx").then((m) => m.SetupPage), "anybody")],
	["/signin", page(() => import("./pages/DoorPages.tsx").then((m) => m.SignInPage), "anybody")],
	["/join", page(() => import("./pages/DoorPages.tsx").then((m) => m.JoinPage), "anybody")],
	["/clips", page(() => import("./pages/ClipsPage.tsx").then((m) => m.ClipsPage))],
	["/clips/new", page(() => import("./pages/NewClipPage.tsx").then((m) => m.NewClipPage))],
	["/clips/:id", page(() => import("./pages/ClipPage.tsx").then((m) => m.ClipPage))],
	["/sessions", page(() => import("./pages/SessionsPage.tsx").then((m) => m.SessionsPage))],
	["/sessions/new", page(() => import("./pages/NewSessionPage.tsx").then((m) => m.NewSessionPage))],
	["/receipts", page(() => import("./keeping/ReceiptsPage.tsx").then((m) => m.ReceiptsPage), "anybody")],
	["/holds", page(() => import("./keeping/HoldsPage.tsx").then((m) => m.HoldsPage))],
	["/s/:id", page(() => import("./lobby/SessionPage.tsx").then((m) => m.SessionPage), "anybody")],
	["/s/:id/plan", page(() => import("./plan/PlanPage.tsx").then((m) => m.PlanPage), "anybody")],
	["/s/:id/replay", page(() => import("./pages/ReplayRoute.tsx").then((m) => m.ReplayRoute), "anybody")],
] as const;

export function App() {
	const [problem, setProblem] = useState<string>();
	const load = () => {
		setProblem(undefined);
		loadAccount().catch((e) => setProblem(sentenceOf(e)));
	};
	useEffect(load, []);
	return (
		<>
			<a class="skip" href="#main">
				Skip to the page
			</a>
			<Offline />
			{problem ? <Unreachable sentence={problem} again={load} /> : <Current />}
			<Toasts />
		</>
	);
}

function Current() {
	const at = path.value;
	const found = pick(routes, at);
	if (!found) return <NotFoundPage />;
	if (account.value === undefined) return <Loading />;
	if (found.to.who === "account" && account.value === null) return <ToSignIn from={at} />;
	const { Page } = found.to;
	return (
		<Boundary key={at}>
			<Page params={found.params} />
		</Boundary>
	);
}

function ToSignIn({ from }: { from: string }) {
	useEffect(() => {
		const to = needsSetup.value ? "/setup" : from === "/" ? "/signin" : `/signin?to=${encodeURIComponent(from)}`;
		navigate(to, { replace: true });
	}, [from]);
	return <Loading />;
}

function Unreachable({ sentence, again }: { sentence: string; again: () => void }) {
	return (
		<main class="page page--narrow" id="main">
			<EmptyState
				title="Pausepoint does not answer"
				action={
					<Button variant="primary" onClick={again}>
						Try again
					</Button>
				}
			>
				{sentence}
			</EmptyState>
		</main>
	);
}

/** A mistake in one page leaves the rest standing. */
function Boundary({ children }: { children: preact.ComponentChildren }) {
	const [error, reset] = useErrorBoundary((e) => console.error(e));
	if (!error) return <>{children}</>;
	return (
		<div class="shell">
			<Topbar />
			<main class="page page--narrow" id="main">
				<EmptyState
					title="Something went wrong on this page"
					action={
						<div class="row">
							<Button variant="primary" onClick={reset}>
								Try again
							</Button>
							<Button variant="quiet" onClick={() => location.reload()}>
								Load the page again
							</Button>
						</div>
					}
				>
					What you saved is safe on the server.
				</EmptyState>
			</main>
		</div>
	);
}

function Offline() {
	const [off, setOff] = useState(!navigator.onLine);
	useEffect(() => {
		const on = () => setOff(!navigator.onLine);
		window.addEventListener("online", on);
		window.addEventListener("offline", on);
		return () => {
			window.removeEventListener("online", on);
			window.removeEventListener("offline", on);
		};
	}, []);
	if (!off) return null;
	return (
		<Notice bar live icon={WifiOff}>
			You are offline. What you see may be old; we go on as soon as you are connected again.
		</Notice>
	);
}
