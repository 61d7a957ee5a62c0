import "./clip.css";
import { FileVideo } from "lucide";
import { useId, useRef, useState } from "preact/hooks";
import { ApiError, api } from "../api.ts";
import { useAction, useTitle } from "../hooks.ts";
import { navigate } from "../router.ts";
import { Button } from "../ui/Button.tsx";
import { Check, Field } from "../ui/Field.tsx";
import { Icon } from "../ui/Icon.tsx";
import { Notice } from "../ui/Notice.tsx";
import { Shell } from "../ui/Shell.tsx";
import { fmtBytes } from "../ui/time.ts";
import { fileProblem, titleOf } from "../upload/state.ts";
import { ClipUpload } from "../upload/uploads.ts";

export const CONSENT = "The pupils and their families agreed to this video, and nobody who opted out is in it";

export function NewClipPage() {
	useTitle("Add a clip");
	const [file, setFile] = useState<File | null>(null);
	const [title, setTitle] = useState("");
	const [focus, setFocus] = useState("");
	const [consent, setConsent] = useState(false);
	const problem = file ? fileProblem(file) : "";
	const take = (f: File) => {
		setFile(f);
		if (!title.trim()) setTitle(titleOf(f.name));
	};
	const add = useAction(async () => {
		if (!file) return;
		const upload = new ClipUpload(file, { title: title.trim() });
		const clip = await started(upload);
		// The upload goes on in the background; what is said of the clip is saved beside it.
		const change = {
			title: title.trim() || undefined,
			focus: focus.trim() || undefined,
			pupilConsent: consent || undefined,
		};
		await api.changeClip(clip, change).catch(() => undefined); // it is shown, and may be written, on the next page too
		navigate(`/clips/${clip}`, { replace: true });
	});
	const submit = (e: Event) => {
		e.preventDefault();
		if (file && !problem) add.start();
	};
	return (
		<Shell narrow>
			<h1>Add a clip</h1>
			<p class="lead" style={{ margin: "8px 0 24px" }}>
				A part of a lesson that you filmed. Only you see it, until you take it into a session.
			</p>
			<form class="stack stack--6" onSubmit={submit}>
				<FileField file={file} problem={problem} onFile={take} />
				<Field label="Title" value={title} onInput={setTitle} maxLength={200} placeholder="Year 5 fractions" />
				<Field
					label="Focus question"
					optional
					value={focus}
					onInput={setFocus}
					maxLength={1000}
					placeholder="Who is doing the thinking?"
					hint="What you want to look at with the others. You can write it later."
				/>
				<Check label={CONSENT} hint="You can say this later too." checked={consent} onChange={setConsent} />
				{add.error && (
					<Notice tone="danger" live>
						{add.error}
					</Notice>
				)}
				<div class="row">
					<Button
						variant="primary"
						size="large"
						type="submit"
						busy={add.busy}
						disabled={!file || problem !== ""}
						aria-describedby="add-hint"
					>
						Add a clip
					</Button>
					<p class="hint" id="add-hint">
						{file ? `${fmtBytes(file.size)} are sent. You can pause, and go on later.` : "Choose a video first."}
					</p>
				</div>
			</form>
		</Shell>
	);
}

/** The clip's id, or the sentence of a start that failed. */
function started(upload: ClipUpload): Promise<string> {
	return new Promise((resolve, reject) => {
		const stop = upload.state.subscribe((s) => {
			if (s.phase === "failed") reject(new ApiError(0, "upload", s.sentence));
		});
		upload
			.start()
			.then(resolve, reject)
			.finally(() => stop());
	});
}

interface FileFieldProps {
	file: File | null;
	problem: string;
	onFile: (f: File) => void;
}

function FileField({ file, problem, onFile }: FileFieldProps) {
	const [over, setOver] = useState(false);
	const input = useRef<HTMLInputElement>(null);
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
					<strong>{file ? file.name : "Choose a video"}</strong>
					<span class="quiet">
						{file
							? `${fmtBytes(file.size)}. Press to choose another.`
							: "Or drop it here. From a phone or a camera, as it is: up to 4 GiB."}
					</span>
				</span>
				<input
					ref={input}
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
				<p class="field__error" id={id} role="alert" style={{ marginTop: 4 }}>
					{problem}
				</p>
			)}
		</div>
	);
}
