import { useState } from "preact/hooks";
import { api, type Measures as Figures } from "../api.ts";
import { useAction } from "../hooks.ts";
import { Avatar } from "../ui/Avatar.tsx";
import { Button } from "../ui/Button.tsx";
import { Notice } from "../ui/Notice.tsx";
import { count, fmtClock, fmtLength } from "../ui/time.ts";
import { useReplay } from "./context.ts";
import type { ReplaySession } from "./session.ts";

/** Talking time, and who spoke first at each pause. Everybody sees their own part first. */
export function Measures() {
	const replay = useReplay();
	const [figures, set] = useState<Figures | null>(null);
	const show = useAction(async () => set(await api.measures(replay.id)));
	if (!replay.ended) return null;
	if (!figures)
		return (
			<section class="measures">
				<p class="hint">
					You can see how long you spoke and who spoke first at each pause. Once you have looked, the others can see
					your part, too; theirs you see once they have looked.
				</p>
				<Button variant="outline" busy={show.busy} onClick={() => show.start()}>
					See how the conversation went
				</Button>
				{show.error && (
					<Notice tone="danger" live>
						{show.error}
					</Notice>
				)}
			</section>
		);
	const most = Math.max(1, ...figures.people.map((p) => p.talk));
	return (
		<section class="measures" aria-live="polite">
			<h3 class="label">Talking time</h3>
			<ul>
				{figures.people.map((p) => (
					<li key={p.member}>
						<Avatar name={replay.nameOf(p.member)} size={20} />
						<span>{nameOf(replay, p.member)}</span>
						{p.shown ? (
							<>
								<span class="measures__bar" aria-hidden="true">
									<i style={{ "--share": `${Math.round((p.talk / most) * 100)}%` }} />
								</span>
								<span class="num">{p.turns > 0 ? `${fmtLength(p.talk)}, ${count(p.turns, "turn")}` : "–"}</span>
							</>
						) : (
							<span class="faint measures__wait">shown once they have looked</span>
						)}
					</li>
				))}
			</ul>
			{figures.pauses.length > 0 && <h3 class="label">First to speak</h3>}
			<ol>
				{figures.pauses.map((p, i) => (
					<li key={p.hold}>
						<span>
							Pause {i + 1}, <span class="num">{fmtClock(replay.opened + p.began)}</span>
						</span>
						<span>{firstSentence(p, p.member && nameOf(replay, p.member))}</span>
					</li>
				))}
			</ol>
		</section>
	);
}

const nameOf = (replay: ReplaySession, member: string) => (member === replay.you ? "You" : replay.nameOf(member));

/** "Ben after 4.2 s": who spoke first at a pause, as far as that is told. */
export function firstSentence(p: Figures["pauses"][number], name: string): string {
	if (!p.spoken) return "Nobody spoke";
	const after = p.after < 100 ? "at once" : `after ${(p.after / 1000).toFixed(1)} s`;
	return `${name || "Somebody"} ${after}`;
}
