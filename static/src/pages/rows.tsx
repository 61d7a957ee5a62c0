import { Eye, LockKeyhole, MessagesSquare, Presentation } from "lucide";
import { account } from "../account.ts";
import type { Clip, SessionCard } from "../api.ts";
import { Avatar } from "../ui/Avatar.tsx";
import { Icon } from "../ui/Icon.tsx";
import { Thumb } from "../ui/Thumb.tsx";
import { count, fmtClip, fmtDay, fmtDayTime, names } from "../ui/time.ts";
import { kindWord } from "../words.ts";

/** Where a press on a session leads: what it was, what is prepared, or its door. */
export function sessionHref(s: SessionCard): string {
	if (s.state === "ended") return `/s/${s.id}/replay`;
	if (s.state === "planned" && (s.mine || mayPrepare(s))) return `/s/${s.id}/plan`;
	return `/s/${s.id}`;
}

export function mayPrepare(s: Pick<SessionCard, "role">): boolean {
	return s.role === "focal" || s.role === "coach" || s.role === "facilitator";
}

export function sessionTitle(s: { title: string; focus: string; kind: SessionCard["kind"] }): string {
	return s.title || s.focus || kindWord[s.kind];
}

/** The others: everybody but the reader. */
export function others(s: SessionCard): string[] {
	const me = account.value?.name;
	const at = s.people.findIndex((p) => p.name === me);
	return s.people.filter((_, i) => i !== at).map((p) => p.name);
}

function whenOf(s: SessionCard): { at: string | null; text: string } {
	if (s.state === "live") return { at: s.opened, text: s.inside > 0 ? `${s.inside} inside now` : "Open now" };
	if (s.state === "planned") return { at: s.scheduled, text: s.scheduled ? fmtDayTime(s.scheduled) : "No date yet" };
	return { at: s.opened, text: s.opened ? fmtDay(s.opened) : "" };
}

function sentence(s: SessionCard): string {
	const parts = [];
	if (s.state === "ended") {
		if (s.notes) parts.push(count(s.notes, "note"));
		if (s.pauses) parts.push(count(s.pauses, "pause"));
	}
	const facts = parts.join(", ");
	const about = s.title && s.focus ? s.focus : kindWord[s.kind];
	return facts ? `${facts}. ${about}` : about;
}

export function SessionRow({ s }: { s: SessionCard }) {
	const with_ = others(s);
	const when = whenOf(s);
	return (
		<li>
			<a class="list__row" href={sessionHref(s)}>
				<Thumb clip={s.clip} icon={s.kind === "live-lesson" ? Presentation : MessagesSquare} />
				<span>
					<strong>{sessionTitle(s)}</strong>
					<small>{sentence(s)}</small>
				</span>
				<span class="who">
					{with_[0] ? (
						<>
							<Avatar name={with_[0]} size={20} />
							<span>with {names(with_, 2)}</span>
						</>
					) : (
						<span>Only you</span>
					)}
				</span>
				<time class="when" dateTime={when.at ?? undefined}>
					{when.text}
				</time>
			</a>
		</li>
	);
}

/** Who can see a clip, as a sentence. */
export function seenBy(c: Clip): string {
	if (c.practice) return "Everybody here";
	if (!c.mine) return `${c.ownerName} shows it to you`;
	const n = c.viewers?.length ?? 0;
	if (n === 0) return "Only you";
	return n === 1 ? `You and ${c.viewers![0]}` : `You and ${n} others`;
}

const clipStates: Partial<Record<Clip["state"], string>> = {
	uploading: "Not all of it has arrived",
	filming: "The video of the conversation is being made",
	waiting: "In line to be prepared",
	preparing: "Being prepared",
	refused: "Cannot be shown",
};

export function ClipRow({ c }: { c: Clip }) {
	const ready = c.state === "ready";
	const open = c.practice || !c.mine || (c.viewers?.length ?? 0) > 0;
	return (
		<li>
			<a class="list__row" href={`/clips/${c.id}`}>
				<Thumb clip={ready ? c.id : null} />
				<span>
					<strong>{c.title || "Clip without a title"}</strong>
					<small>
						{c.session && c.state === "refused"
							? "Not here any more"
							: (clipStates[c.state] ?? (c.focus || "No question yet"))}
					</small>
				</span>
				<span class="who">
					<Icon icon={open ? Eye : LockKeyhole} size={16} />
					<span>{seenBy(c)}</span>
				</span>
				<span class="when num">
					{ready && fmtClip(c.to - c.from)}
					{c.state === "preparing" && `${Math.round(c.progress * 100)} %`}
				</span>
			</a>
		</li>
	);
}
