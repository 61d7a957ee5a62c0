import "../pages/clip.css";
import "./plan.css";
import { Pencil } from "lucide";
import { useMemo, useState } from "preact/hooks";
import { account } from "../account.ts";
import { ApiError, api, type Plan, type PlanChange } from "../api.ts";
import { Autosave } from "../autosave.ts";
import { useFlush, useLoad, useTitle } from "../hooks.ts";
import { keptFor } from "../keeping/words.ts";
import { SeenBy } from "../pages/ClipPage.tsx";
import { LoadFailed, NotFoundPage } from "../pages/NotFoundPage.tsx";
import { sessionTitle } from "../pages/rows.tsx";
import type { Params } from "../router.ts";
import { Button } from "../ui/Button.tsx";
import { EmptyState, Notice } from "../ui/Notice.tsx";
import { Saved } from "../ui/Saved.tsx";
import { Shell } from "../ui/Shell.tsx";
import { Loading } from "../ui/Spinner.tsx";
import { kindWord } from "../words.ts";
import { Details } from "./Details.tsx";
import { Invite } from "./Invite.tsx";
import { Work } from "./Work.tsx";

export function PlanPage({ params }: { params: Params }) {
	const id = params.id!;
	const loaded = useLoad(() => api.plan(id), id);
	useTitle("Plan", loaded.data && sessionTitle(loaded.data));
	if (!loaded.data) {
		if (loaded.cause instanceof ApiError && loaded.cause.status < 500 && loaded.cause.status > 0)
			return <NotFoundPage />;
		if (loaded.error) return <LoadFailed sentence={loaded.error} again={loaded.reload} />;
		return <Loading />;
	}
	return <Loaded key={id} first={loaded.data} />;
}

/** What others see of a note needs words; an empty one stays here until it has some. */
function sendable(c: PlanChange): PlanChange {
	return c.notes ? { ...c, notes: c.notes.filter((n) => n.text.trim() !== "") } : c;
}

function Loaded({ first }: { first: Plan }) {
	const [plan, setPlan] = useState(first);
	const [details, setDetails] = useState(false);
	const clips = useLoad(() => (account.value ? api.clips() : Promise.resolve([])), "clips");
	const autosave = useMemo(
		() =>
			new Autosave<PlanChange>(async (change) => {
				const saved = await api.changePlan(first.id, sendable(change));
				// Another clip comes with its own frames: what the server made of the pauses counts.
				if (change.clip !== undefined)
					setPlan((p) => ({ ...p, clipCard: saved.clipCard, pauses: saved.pauses, notes: saved.notes }));
			}),
		[first.id],
	);
	useFlush(autosave);
	const change = (c: PlanChange) => {
		setPlan((p) => ({ ...p, ...c }));
		autosave.put(c);
	};
	const clip = plan.clipCard;
	const title = sessionTitle(plan);
	return (
		<Shell
			class="plan-page"
			devices
			back={account.value ? { href: "/sessions", label: "Sessions" } : { href: `/s/${plan.id}`, label: "The door" }}
			end={
				<>
					{clip && <SeenBy clip={clip} />}
					<Button variant="primary" href={plan.ended ? `/s/${plan.id}/replay` : `/s/${plan.id}`}>
						{plan.ended ? "See the replay" : "Join"}
					</Button>
				</>
			}
		>
			<div class="headline">
				<div>
					<h1>{plan.focus || title}</h1>
					<p class="ctx">
						{plan.focus && plan.title && <span>{plan.title}</span>}
						<span>{kindWord[plan.kind]}</span>
						<span>{plan.recorded ? "Recorded, if all agree" : "Not recorded"}</span>
						<span>Kept {keptFor(plan.keep)}</span>
					</p>
				</div>
				{plan.mine && !plan.begun && (
					<Button variant="outline" icon={Pencil} onClick={() => setDetails(true)}>
						Change the details
					</Button>
				)}
			</div>
			{plan.begun && (
				<div style={{ marginBottom: "16px" }}>
					<Notice tone="accent">
						{plan.ended
							? "This session has ended. The plan stays as it was."
							: "This session has begun. Pauses and notes are changed in the call now."}
					</Notice>
				</div>
			)}
			{clip?.state === "ready" ? (
				<Work
					key={clip.id}
					plan={plan}
					clip={clip}
					change={change}
					saved={<Saved autosave={autosave} more="Nobody sees it before the session begins." />}
					invite={<Invite plan={plan} />}
				/>
			) : (
				<div class="plan-cols">
					<aside class="plan" aria-label="Plan">
						<Invite plan={plan} />
					</aside>
					<div class="work">
						<div class="noclip">
							{plan.kind === "live-lesson" ? (
								<EmptyState title="A live lesson has no clip">
									The camera in the classroom is what everybody watches. Send the links, and join when the lesson
									begins.
								</EmptyState>
							) : (
								<EmptyState
									title={clip ? "The clip is still being prepared" : "No clip yet"}
									action={
										<div class="row">
											{plan.mine && !plan.begun && (
												<Button variant="primary" onClick={() => setDetails(true)}>
													Choose a clip
												</Button>
											)}
											<Button variant="quiet" href={clip ? `/clips/${clip.id}` : "/clips/new"}>
												{clip ? "See how far it is" : "Add a clip"}
											</Button>
										</div>
									}
								>
									Pauses are set on the clip, with the frame in view.
								</EmptyState>
							)}
						</div>
					</div>
				</div>
			)}
			<Details
				plan={plan}
				clips={clips.data ?? []}
				change={change}
				open={details}
				onClose={() => setDetails(false)}
				foot={<Saved autosave={autosave} />}
			/>
		</Shell>
	);
}
