import "./clip.css";
import { FileVideo } from "lucide";
import { useEffect, useId, useMemo, useRef, useState } from "preact/hooks";
import { api, type ClipChange } from "../api.ts";
import { Autosave } from "../autosave.ts";
import { useFlush, useTitle } from "../hooks.ts";
import { Button } from "../ui/Button.tsx";
import { Check, Field } from "../ui/Field.tsx";
import { Icon } from "../ui/Icon.tsx";
import { Saved } from "../ui/Saved.tsx";
import { Shell } from "../ui/Shell.tsx";
import { fileProblem, titleOf } from "../upload/state.ts";
import { ClipUpload } from "../upload/uploads.ts";
import { Sending } from "./Transfer.tsx";

export const CONSENT = "The pupils and their families agreed to this video, and nobody who opted out is in it";

/** The upload begins as soon as a file is chosen; what is said of the clip is written while it is under way. */
export function NewClipPage() {
	useTitle("Add a clip");
	const [words, setWords] = useState<ClipChange>({ title: "", focus: "", pupilConsent: false });
	const [problem, setProblem] = useState("");
	const [upload, setUpload] = useState<ClipUpload>();
	const [clip, setClip] = useState("");
	const autosave = useMemo(() => (clip ? new Autosave<ClipChange>((c) => saveWords(clip, c)) : null), [clip]);
	useFlush(autosave);
	// An effect may run after the key press that follows its render: it must save what is written by then.
	const latest = useRef(words);
	const write = (c: ClipChange) => {
		latest.current = { ...latest.current, ...c };
		setWords(latest.current);
	};
	const change = (c: ClipChange) => {
		write(c);
		autosave?.put(c);
	};
	// What was written before the server knew of the clip.
	useEffect(() => autosave?.put(latest.current), [autosave]);

	const take = (file: File) => {
		const why = fileProblem(file);
		setProblem(why);
		if (why) return;
		const title = words.title?.trim() || titleOf(file.name) || "Clip";
		write({ title });
		const begun = new ClipUpload(file, { title });
		setUpload(begun);
		void begun.start().then(setClip);
	};
	return (
		<Shell narrow>
			<h1>Add a clip</h1>
			<p class="lead" style={{ margin: "8px 0 24px" }}>
				A part of a lesson that you filmed. Only you see it, until you take it into a session.
			</p>
			<div class="stack stack--6">
				{upload ? (
					<section class="card transfer" aria-label="Upload">
						<Sending upload={upload} />
					</section>
				) : (
					<FileField problem={problem} onFile={take} />
				)}
				<Field
					label="Title"
					value={words.title ?? ""}
					onInput={(title) => change({ title })}
					maxLength={200}
					placeholder="Year 5 fractions"
				/>
				<Field
					label="Focus question"
					optional
					value={words.focus ?? ""}
					onInput={(focus) => change({ focus })}
					maxLength={1000}
					placeholder="Who is doing the thinking?"
					hint="What you want to look at with the others. You can write it later."
				/>
				<Check
					label={CONSENT}
					hint="You can say this later too."
					checked={words.pupilConsent ?? false}
					onChange={(pupilConsent) => change({ pupilConsent })}
				/>
				<div class="row">
					<Button variant="primary" size="large" disabled={!clip} href={clip ? `/clips/${clip}` : undefined}>
						Open the clip
					</Button>
					{autosave ? (
						<Saved autosave={autosave} />
					) : (
						<p class="hint">{upload ? "One moment" : "Choose a video first."}</p>
					)}
				</div>
			</div>
		</Shell>
	);
}

/** An empty title is being written: the server keeps the last one that is none. */
async function saveWords(clip: string, c: ClipChange): Promise<void> {
	const { title, ...rest } = c;
	await api.changeClip(clip, title?.trim() ? c : rest);
}

interface FileFieldProps {
	problem: string;
	onFile: (f: File) => void;
}

function FileField({ problem, onFile }: FileFieldProps) {
	const [over, setOver] = useState(false);
	const id = useId();
	const drop = (e: DragEvent) => {
		e.preventDefault();
		setOver(false);
		const f = e.dataTransfer?.files[0];
		if (f) onFile(f);
	};
	return (
		<div>
			<label
				class={over ? "drop drop--over" : "drop"}
				onDragOver={(e) => {
					e.preventDefault();
					setOver(true);
				}}
				onDragLeave={() => setOver(false)}
				onDrop={drop}
			>
				<Icon icon={FileVideo} />
				<span>
					<strong>Choose a video</strong>
					<span class="quiet">Or drop it here. From a phone or a camera, as it is: up to 4 GB.</span>
				</span>
				<input
					class="drop__input"
					type="file"
					accept="video/*,.mts,.m2ts,.mkv,.avi,.mov,.mp4,.webm"
					aria-label="Video file"
					aria-describedby={problem ? id : undefined}
					onChange={(e) => {
						const f = e.currentTarget.files?.[0];
						if (f) onFile(f);
					}}
				/>
			</label>
			{problem && (
				<p class="field__error" id={id} role="alert" style={{ marginTop: "4px" }}>
					{problem}
				</p>
			)}
		</div>
	);
}
