import "../plan/plan.css";
import { useEffect, useState } from "preact/hooks";
import { api, type NewSession, type Role } from "../api.ts";
import { useAction, useLoad, useTitle } from "../hooks.ts";
import { PlanFields } from "../plan/PlanFields.tsx";
import { navigate } from "../router.ts";
import { Button } from "../ui/Button.tsx";
import { Segmented } from "../ui/Field.tsx";
import { Notice } from "../ui/Notice.tsx";
import { Shell } from "../ui/Shell.tsx";

const roles: { value: Role; label: string }[] = [
	{ value: "focal", label: "It is my lesson" },
	{ value: "coach", label: "I coach" },
	{ value: "facilitator", label: "I facilitate" },
];

export function NewSessionPage() {
	useTitle("Plan a session");
	const clips = useLoad(api.clips, "clips");
	const [draft, setDraft] = useState<NewSession>({
		kind: "conversation",
		role: "focal",
		clip: new URLSearchParams(location.search).get("clip"),
		minutes: 45,
		recorded: false,
	});
	const change = (c: NewSession) => setDraft((d) => ({ ...d, ...c }));
	const clip = clips.data?.find((c) => c.id === draft.clip);
	// A clip brings its own words, until others are written.
	useEffect(() => {
		if (!clip) return;
		setDraft((d) => ({ ...d, title: d.title || clip.title, focus: d.focus || clip.focus }));
	}, [clip]);
	const plan = useAction(async () => {
		const title = draft.title?.trim() || draft.focus?.trim() || undefined;
		const s = await api.newSession({ ...draft, title });
		navigate(`/s/${s.id}/plan`, { replace: true });
	});
	const submit = (e: Event) => {
		e.preventDefault();
		plan.start();
	};
	return (
		<Shell narrow devices>
			<h1>Plan a session</h1>
			<p class="lead" style={{ margin: "8px 0 24px" }}>
				Then you set the pauses, and send the links. Everything can be changed until it begins.
			</p>
			<form class="stack stack--6" onSubmit={submit}>
				<PlanFields value={draft} clips={clips.data ?? []} change={change} />
				<Segmented legend="You" value={draft.role ?? "focal"} options={roles} onChange={(role) => change({ role })} />
				{plan.error && (
					<Notice tone="danger" live>
						{plan.error}
					</Notice>
				)}
				<div class="row">
					<Button variant="primary" size="large" type="submit" busy={plan.busy}>
						Plan this session
					</Button>
				</div>
			</form>
		</Shell>
	);
}
