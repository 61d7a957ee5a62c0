import type { Clip, Kind, PlanChange } from "../api.ts";
import { keepOptions } from "../keeping/words.ts";
import { Check, Field, Select, TextArea } from "../ui/Field.tsx";
import { fmtClip } from "../ui/time.ts";
import { kindWord } from "../words.ts";
import { isoOf, localOf } from "./agenda.ts";

interface PlanFieldsProps {
	value: PlanChange;
	clips: Clip[];
	change: (c: PlanChange) => void;
}

/** What a session is about, for whom, and when. */
export function PlanFields({ value, clips, change }: PlanFieldsProps) {
	const kind = value.kind ?? "conversation";
	const kinds = Object.entries(kindWord).map(([v, label]) => ({ value: v as Kind, label }));
	return (
		<>
			<div class="two">
				<Select
					label="Kind"
					value={kind}
					options={kinds}
					onChange={(k) => change(k === "live-lesson" ? { kind: k, clip: null } : { kind: k })}
				/>
				{kind !== "live-lesson" && (
					<Select
						label="Clip"
						value={value.clip ?? ""}
						options={clipOptions(clips, value.clip)}
						onChange={(clip) => change({ clip: clip || null })}
					/>
				)}
			</div>
			<Field
				label="Title"
				value={value.title ?? ""}
				onInput={(title) => change({ title })}
				maxLength={200}
				placeholder="Year 5 fractions"
			/>
			<Field
				label="Focus question"
				value={value.focus ?? ""}
				onInput={(focus) => change({ focus })}
				maxLength={1000}
				placeholder="Who is doing the thinking?"
				hint="What you look at together. It stands large at the door."
			/>
			<TextArea
				label="Purpose"
				value={value.purpose ?? ""}
				onInput={(purpose) => change({ purpose })}
				rows={2}
				maxLength={1000}
				placeholder="We look closely to learn; nobody is being assessed."
				hint="Everybody reads it before they join."
			/>
			<div class="two">
				<Field
					label="When"
					optional
					type="datetime-local"
					value={localOf(value.scheduled)}
					onInput={(local) => change({ scheduled: isoOf(local) })}
					hint="By your own clock."
				/>
				<Select
					label="How long"
					value={String(value.minutes ?? 45)}
					options={minuteOptions(value.minutes ?? 45)}
					onChange={(m) => change({ minutes: Number(m) })}
				/>
			</div>
			<Select
				label="Keep it"
				value={String(value.keep ?? 0)}
				options={keepOptions(value.keep ?? 0)}
				onChange={(days) => change({ keep: Number(days) })}
				hint="After its last moment; then everything that was recorded and written is deleted."
			/>
			<Check
				label="Record it, if all agree"
				hint="Everybody is asked at the door. If one person says “Not this time”, nobody is recorded."
				checked={value.recorded ?? false}
				onChange={(recorded) => change({ recorded })}
			/>
		</>
	);
}

function clipOptions(clips: Clip[], chosen: string | null | undefined) {
	const usable = clips.filter((c) => (c.state === "ready" && (c.mine || c.practice)) || c.id === chosen);
	const label = (c: Clip) => `${c.title}${c.state === "ready" ? ` (${fmtClip(c.to - c.from)})` : ""}`;
	return [{ value: "", label: "No clip yet" }, ...usable.map((c) => ({ value: c.id, label: label(c) }))];
}

function minuteOptions(now: number) {
	const usual = [15, 20, 30, 45, 60, 90, 120];
	const all = usual.includes(now) ? usual : [...usual, now].sort((a, b) => a - b);
	return all.map((m) => ({ value: String(m), label: `${m} minutes` }));
}
