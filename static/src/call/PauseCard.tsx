import { useSignal } from "@preact/signals";
import { Check, LockKeyhole, RefreshCw } from "lucide";
import { useEffect, useRef } from "preact/hooks";
import { Drawings, sizeOf } from "../draw/Drawings.tsx";
import type { Hold, View } from "../event.gen.ts";
import { Avatar } from "../ui/Avatar.tsx";
import { Button } from "../ui/Button.tsx";
import { Icon } from "../ui/Icon.tsx";
import { fmtClip, fmtLength, fmtMs } from "../ui/time.ts";
import { shortName } from "../words.ts";
import { useCall } from "./context.ts";
import { focusOf } from "./keys.ts";
import { toggleLarge } from "./Stage.tsx";
import { countdown, hands, missing, onFrame, whoContinues } from "./say.ts";
import { useTick } from "./time.ts";
import { promptOf, Which } from "./Which.tsx";

/** Characters from which a prompt is set smaller, so that its answer stays in view. */
const LONG = 110;

export function PauseCard({ onNote }: { onNote: () => void }) {
	const call = useCall();
	const v = call.view.value;
	const hold = v?.hold;
	const prompt = useRef<HTMLHeadingElement>(null);
	useFocusOn(prompt);
	if (!v || !hold) return null;
	const thinking = hold.phase === "thinking" && !hold.revealed;
	return (
		<section class="card card-pause" id="pause" aria-labelledby="prompt" data-phase={thinking ? "think" : "discuss"}>
			<p class="card-pause__head">
				<i class="diamond" />
				<Which view={v} hold={hold} />
			</p>
			<h2 id="prompt" ref={prompt} tabIndex={-1} data-long={hold.prompt.length > LONG || undefined}>
				{promptOf(hold)}
			</h2>
			<Ring hold={hold} />
			<MiniFrame hold={hold} />
			{hold.revealed ? <Answers hold={hold} /> : <OwnAnswer key={hold.id} hold={hold} />}
			<div class="card-pause__foot">
				<OnFrame view={v} hold={hold} />
				<Queue view={v} hold={hold} />
				<div class="go">
					{call.can("continue") ? (
						<>
							{hold.revealed || hold.answered.length === 0 ? (
								<Button variant="outline" onClick={onNote}>
									Write a note
								</Button>
							) : (
								<Button variant="outline" onClick={() => call.press({ type: "hold.reveal", data: { hold: hold.id } })}>
									Show answers
								</Button>
							)}
							<Button variant="primary" onClick={() => call.goOn()}>
								Continue
								<span class="kbd" aria-hidden="true">
									C
								</span>
							</Button>
						</>
					) : (
						<>
							<Button variant="outline" onClick={onNote}>
								Write a note
							</Button>
							<p class="quiet go__who">{whoContinues(v.members)}</p>
						</>
					)}
				</div>
			</div>
		</section>
	);
}

/** The room changed: the focus goes to the prompt and back, and never away from a field, a menu or a dialog. */
function useFocusOn(target: preact.RefObject<HTMLElement | null>): void {
	useEffect(() => {
		const before = document.activeElement;
		const busy = focusOf(before) === "field" || before?.closest("dialog, .menu__list");
		if (!busy) target.current?.focus({ preventScroll: true });
		return () => {
			setTimeout(() => {
				if (document.activeElement && document.activeElement !== document.body) return;
				const main = document.querySelector<HTMLElement>("main");
				if (before instanceof HTMLElement && before !== document.body && before.isConnected) before.focus();
				else main?.focus({ preventScroll: true });
			});
		};
	}, []);
}

/** Think time runs down in amber for everyone together; talk runs up in grey. */
function Ring({ hold }: { hold: Hold }) {
	const call = useCall();
	void useTick(250).value;
	const gone = Math.max(0, call.now() - hold.phaseSince);
	if (hold.phase === "thinking") {
		if (hold.think === 0) return null;
		const left = Math.max(0, hold.think - gone);
		return (
			<div class="ring" role="timer" aria-label={`${Math.ceil(left / 1000)} seconds left to think`}>
				<Circle part={left / hold.think} />
				<div>
					<b class="num">{countdown(left)}</b>
					<span>to think</span>
				</div>
			</div>
		);
	}
	const of = hold.talk > 0 ? `of ${fmtLength(hold.talk)}` : "talked";
	return (
		<div class="ring ring--talk" role="timer" aria-label={`${fmtMs(gone)} ${of}`}>
			<Circle part={hold.talk > 0 ? Math.min(1, gone / hold.talk) : 0} />
			<div>
				<b class="num">{fmtMs(gone)}</b>
				<span>{of}</span>
			</div>
		</div>
	);
}

function Circle({ part }: { part: number }) {
	return (
		<svg viewBox="0 0 104 104" aria-hidden="true">
			<circle class="track" cx="52" cy="52" r="48" />
			<circle
				class="left"
				cx="52"
				cy="52"
				r="48"
				pathLength={100}
				stroke-dasharray={`${(part * 100).toFixed(2)} 100`}
			/>
		</svg>
	);
}

/** On a phone the frame is small in the card; a tap shows it large. */
function MiniFrame({ hold }: { hold: Hold }) {
	const call = useCall();
	const v = call.view.value;
	const time = fmtClip(hold.position, true);
	return (
		<button type="button" class="mini" onClick={toggleLarge}>
			<span class="mini__frame">
				<FrameCopy at={hold.position} here={hold.confirmed.includes(call.you.value)} />
				{v?.clip && <Drawings size={sizeOf(v.clip)} drawings={v.drawings} members={v.members} stretched />}
			</span>
			<span class="t12">
				<b class="num">{time}</b> <br />
				Tap to see the frame large{call.can("draw") && ", and to draw on it"}
			</span>
		</button>
	);
}

/** A still copy of what the clip's element shows; `here` when that is the frame itself. */
function FrameCopy({ at, here }: { at: number; here: boolean }) {
	const ref = useRef<HTMLCanvasElement>(null);
	useEffect(() => {
		const video = document.querySelector<HTMLVideoElement>('[data-testid="clip"]');
		const canvas = ref.current;
		if (!video || !canvas) return;
		const draw = () => {
			if (video.readyState < 2 || video.videoWidth === 0) return;
			canvas.getContext("2d")?.drawImage(video, 0, 0, canvas.width, canvas.height);
		};
		draw();
		video.addEventListener("seeked", draw);
		video.addEventListener("loadeddata", draw);
		return () => {
			video.removeEventListener("seeked", draw);
			video.removeEventListener("loadeddata", draw);
		};
	}, [at, here]);
	return <canvas ref={ref} width={224} height={126} />;
}

const SAVE_AFTER = 500;

function OwnAnswer({ hold }: { hold: Hold }) {
	const call = useCall();
	const mine = hold.answers.find((a) => a.member === call.you.value)?.text ?? "";
	const text = useSignal(mine);
	const saved = useRef(mine);
	const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
	const save = () => {
		clearTimeout(timer.current);
		if (text.peek() === saved.current) return;
		saved.current = text.peek();
		void call.ask({ type: "hold.answer", data: { hold: hold.id, text: text.peek() } });
	};
	useEffect(
		() => () => {
			clearTimeout(timer.current);
			call.typed("");
		},
		[],
	);
	return (
		<div class="answer">
			<p class="answer__label">
				<label for="answer">Your answer</label>
				<span class="hint">
					<Icon icon={LockKeyhole} size={16} />
					Only you, until answers are shown
				</span>
			</p>
			<textarea
				class="textarea"
				id="answer"
				rows={3}
				maxLength={4000}
				value={text.value}
				onInput={(e) => {
					text.value = e.currentTarget.value;
					call.typed("answer");
					clearTimeout(timer.current);
					timer.current = setTimeout(save, SAVE_AFTER);
				}}
				onBlur={() => {
					save();
					call.typed("");
				}}
			/>
		</div>
	);
}

function Answers({ hold }: { hold: Hold }) {
	const call = useCall();
	if (hold.answers.length === 0) return <p class="answers quiet">Nobody wrote an answer.</p>;
	return (
		<ul class="answers" aria-label="Answers">
			{hold.answers.map((a) => {
				const name = call.member(a.member)?.name ?? "Somebody";
				return (
					<li key={a.member}>
						<Avatar name={name} />
						<p>
							<strong>{a.member === call.you.value ? "You" : name}</strong>
							{a.text}
						</p>
					</li>
				);
			})}
		</ul>
	);
}

function OnFrame({ view, hold }: { view: View; hold: Hold }) {
	const late = missing(hold, view.members);
	return (
		<p class="state" data-testid="on-frame" role="status">
			<Icon icon={late.length === 0 ? Check : RefreshCw} />
			<span>{onFrame(hold, view.members)}</span>
		</p>
	);
}

function Queue({ view, hold }: { view: View; hold: Hold }) {
	const first = hands(view.members)[0];
	if (!first) return null;
	const words = hold.phase === "talking" ? "is next" : "wants to speak";
	return (
		<p class="state">
			<Avatar name={first.name} size={20} />
			{shortName(first, view.members)} {words}
		</p>
	);
}
