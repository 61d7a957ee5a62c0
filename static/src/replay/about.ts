/** What is to be known about a recording: when it ran, who agreed, and what was removed. Pure. */
import type { Event, Member, View } from "../event.gen.ts";
import type { Interval } from "./history.ts";

export interface Removed {
	member: string;
	/** Unix ms at which consent was taken back */
	when: number;
	/** What they wrote went, too. */
	notes: boolean;
	/** Files that were removed; null until the journal has the proof. */
	files: number | null;
}

export interface About {
	/** ms on the record */
	recorded: number;
	/** Who agreed, and still does. */
	agreed: Member[];
	removed: Removed[];
}

export function aboutOf(events: Event[], end: View, recorded: Interval[]): About {
	const removed: Removed[] = [];
	for (const e of events) {
		if (e.type === "member.withdrew") {
			const { member, when, notes } = e.data;
			removed.push({ member: member.id, when, notes, files: null });
		} else if (e.type === "recording.erased") {
			for (const r of removed) if (r.member === e.data.member && r.files === null) r.files = 0;
			const last = removed.findLast((r) => r.member === e.data.member);
			if (last) last.files = (last.files ?? 0) + (e.data.files ?? []).length;
		}
	}
	return {
		recorded: recorded.reduce((sum, r) => sum + r.to - r.from, 0),
		agreed: end.members.filter((m) => m.consent === "agreed"),
		removed,
	};
}
