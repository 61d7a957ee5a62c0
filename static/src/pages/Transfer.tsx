import { Pause, Play, RotateCw } from "lucide";
import { useRef, useState } from "preact/hooks";
import type { Clip } from "../api.ts";
import { useAction } from "../hooks.ts";
import { navigate } from "../router.ts";
import { Button } from "../ui/Button.tsx";
import { Notice } from "../ui/Notice.tsx";
import { Progress } from "../ui/Progress.tsx";
import { toast } from "../ui/Toast.tsx";
import { fmtBytes } from "../ui/time.ts";
import { sayUpload } from "../upload/state.ts";
import { ClipUpload } from "../upload/uploads.ts";
import { DeleteClip } from "./DeleteClip.tsx";

/** A clip whose bytes are still missing: sent by this window, or waiting for its file to be chosen again. */
export function Transfer({ clip, upload }: { clip: Clip; upload?: ClipUpload }) {
	return (
		<>
			<h1 class="headline">{clip.title}</h1>
			<section class="card transfer" aria-label="Upload">
				{upload ? <Sending upload={upload} /> : <Interrupted clip={clip} />}
			</section>
		</>
	);
}

/** An upload of this window, with what can be done about it. */
export function Sending({ upload }: { upload: ClipUpload }) {
	const s = upload.state.value;
	const giveUp = useAction(async () => {
		await upload.giveUp();
		toast("The upload is given up. Nothing of it is kept.");
		navigate("/clips", { replace: true });
	});
	const going = s.phase === "sending" || s.phase === "starting" || s.phase === "waiting";
	return (
		<>
			<h2>{s.phase === "sent" ? "All of it has arrived" : "Your clip is on its way"}</h2>
			<Progress label="Upload" value={s.total ? s.sent / s.total : 0} />
			<p>
				<span class="num">
					{fmtBytes(s.sent)} of {fmtBytes(s.total)}
				</span>
			</p>
			{s.phase === "failed" ? (
				<Notice tone="danger" live>
					{sayUpload(s)}
				</Notice>
			) : (
				<p class="quiet" role="status">
					{sayUpload(s)}
				</p>
			)}
			{s.phase !== "sent" && (
				<div class="row">
					{going ? (
						<Button variant="outline" icon={Pause} onClick={() => upload.pause()}>
							Pause the upload
						</Button>
					) : (
						<Button variant="primary" icon={s.phase === "failed" ? RotateCw : Play} onClick={() => upload.resume()}>
							{s.phase === "failed" ? "Try again" : "Go on"}
						</Button>
					)}
					<Button variant="leave" busy={giveUp.busy} onClick={() => giveUp.start()}>
						Give up
					</Button>
				</div>
			)}
		</>
	);
}

function Interrupted({ clip }: { clip: Clip }) {
	const input = useRef<HTMLInputElement>(null);
	const [problem, setProblem] = useState("");
	const share = clip.size ? (clip.uploaded ?? 0) / clip.size : 0;
	const goOn = (file: File) => {
		if (clip.size && file.size !== clip.size) {
			setProblem(`This is another file. Choose the one with ${fmtBytes(clip.size)} that you began with.`);
			return;
		}
		setProblem("");
		const upload = new ClipUpload(file, { title: clip.title }, { clip: clip.id, uploadId: clip.uploadId ?? clip.id });
		void upload.start();
	};
	return (
		<>
			<h2>Not all of it has arrived</h2>
			<Progress label="Upload" value={share} />
			<p class="num">
				{fmtBytes(clip.uploaded ?? 0)} of {fmtBytes(clip.size ?? 0)}
			</p>
			<p class="quiet">
				Choose the same file again: it goes on where it stopped. If another window sends it, leave it there.
			</p>
			{problem && (
				<Notice tone="danger" live>
					{problem}
				</Notice>
			)}
			<div class="row">
				<Button variant="primary" icon={Play} onClick={() => input.current?.click()}>
					Choose the file and go on
				</Button>
				<DeleteClip clip={clip} label="Give up" />
				<input
					ref={input}
					type="file"
					accept="video/*,.mts,.m2ts,.mkv,.avi,.mov,.mp4,.webm"
					hidden
					aria-label="Video file"
					onChange={(e) => {
						const f = e.currentTarget.files?.[0];
						if (f) goOn(f);
					}}
				/>
			</div>
		</>
	);
}

const underWay: Partial<Record<Clip["state"], string>> = {
	filming: "The video of the conversation is being made",
	waiting: "Your clip has arrived",
};

export function UnderWay({ clip }: { clip: Clip }) {
	const inLine = clip.state !== "preparing";
	return (
		<>
			<h1 class="headline">{clip.title}</h1>
			<section class="card transfer" aria-label="Preparation">
				<h2>{underWay[clip.state] ?? "Your clip is being prepared"}</h2>
				<Progress label="Preparation" value={inLine ? undefined : clip.progress} />
				<p class="quiet" role="status">
					{inLine
						? "It waits for its turn. You can close this page."
						: "We make it so that it stops on the same frame for everybody. You can close this page."}
				</p>
				<div class="row">
					<DeleteClip clip={clip} />
				</div>
			</section>
		</>
	);
}

export function Refused({ clip }: { clip: Clip }) {
	return (
		<>
			<h1 class="headline">{clip.title}</h1>
			<section class="card transfer" aria-label="What happened">
				<h2>{clip.session ? "This clip is not here any more" : "This file cannot be shown"}</h2>
				<Notice tone="danger">
					{clip.refusal || "We could not read it. Try to save it again as MP4, then add it."}
				</Notice>
				<div class="row">
					{!clip.session && (
						<Button variant="primary" href="/clips/new">
							Add another file
						</Button>
					)}
					<DeleteClip clip={clip} />
				</div>
			</section>
		</>
	);
}
