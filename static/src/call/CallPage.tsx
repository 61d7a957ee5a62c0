import { batch, effect, useSignal } from "@preact/signals";
import { Keyboard, MessageSquareText, Users, VolumeX, WifiOff } from "lucide";
import { useEffect, useRef, useState } from "preact/hooks";
import type { CallPageProps } from "../entry.ts";
import type { Note, Pause, PausePut } from "../event.gen.ts";
import { useMedia, useTitle } from "../hooks.ts";
import { frameMiddle } from "../sync/line.ts";
import { Timeline } from "../timeline/Timeline.tsx";
import { Button, IconButton } from "../ui/Button.tsx";
import { EmptyState, Notice } from "../ui/Notice.tsx";
import { Loading } from "../ui/Spinner.tsx";
import { toast } from "../ui/Toast.tsx";
import { fmtClip } from "../ui/time.ts";
import { Controls } from "./Controls.tsx";
import { CallProvider, useCall } from "./context.ts";
import { CallKeys, EndDialog, SettingsDialog } from "./Dialogs.tsx";
import { Faces, Voices } from "./Faces.tsx";
import { focusOf, type KeyAction, keyAction } from "./keys.ts";
import { LessonCamera } from "./LessonCamera.tsx";
import { mark, NotesPanel } from "./NotesPanel.tsx";
import { PauseCard } from "./PauseCard.tsx";
import { AskDialog, PauseDialog } from "./PauseDialogs.tsx";
import { drawing, toggleDrawing } from "./Pen.tsx";
import { PeoplePanel } from "./PeoplePanel.tsx";
import { frameFor, newPause, newProposals, putOf } from "./pauses.ts";
import { large, Stage, toggleLarge } from "./Stage.tsx";
import { byeText, recordingQuestion } from "./say.ts";
import { CallSession, type Layout, type Panel } from "./session.ts";
import { CallTopbar } from "./Topbar.tsx";
import { Transport } from "./Transport.tsx";
import { uuidv7 } from "./uuid.ts";
import "./call.css";

export function CallPage({ sessionId, enter, onLeft }: CallPageProps) {
	const [call] = useState(() => new CallSession(sessionId, enter));
	useEffect(() => {
		const leave = () => call.close();
		window.addEventListener("pagehide", leave);
		return () => {
			window.removeEventListener("pagehide", leave);
			call.close();
		};
	}, []);
	useTitle(call.view.value?.session.title, "Call");
	if (call.bye.value) return <Over call={call} sessionId={sessionId} onLeft={onLeft} />;
	if (!call.view.value) return <Loading />;
	return (
		<CallProvider value={call}>
			<Room onLeft={onLeft} />
		</CallProvider>
	);
}

interface OverProps extends Pick<CallPageProps, "sessionId" | "onLeft"> {
	call: CallSession;
}

function Over({ call, sessionId, onLeft }: OverProps) {
	const reason = call.bye.value ?? "";
	const words = byeText(reason);
	return (
		<main class="page page--narrow" id="main">
			<EmptyState
				title={words.title}
				action={<Onward call={call} sessionId={sessionId} reason={reason} back={words.back} onLeft={onLeft} />}
			>
				{words.text}
			</EmptyState>
		</main>
	);
}

interface OnwardProps extends OverProps {
	reason: string;
	back: boolean;
}

/** The one way on from a call that is over. */
function Onward({ call, sessionId, reason, back, onLeft }: OnwardProps) {
	if (back) {
		return (
			<Button variant="primary" onClick={() => call.comeBack()}>
				Use it here
			</Button>
		);
	}
	if (reason === "removed") {
		return (
			<Button variant="outline" href={`/s/${encodeURIComponent(sessionId)}/replay`}>
				See what was recorded of you
			</Button>
		);
	}
	return (
		<Button variant="primary" onClick={() => onLeft({ ended: reason === "ended" })}>
			Go on
		</Button>
	);
}

type Open = "settings" | "keys" | "end" | "ask" | null;

function Room({ onLeft }: Pick<CallPageProps, "onLeft">) {
	const call = useCall();
	const phone = useMedia("(max-width: 720px)");
	const layout = useLayout(call, phone);
	const open = useSignal<Open>(null);
	const pause = useSignal<PausePut | null>(null);
	const seed = useSignal<{ text: string } | null>(null);
	const chosen = useSignal<string[]>([]);
	const raised = useSignal(false);
	const v = call.view.value!;
	const live = v.session.kind === "live-lesson";
	const focal = v.members.find((m) => m.role === "focal");
	const panel = call.panel.value;

	const show = (p: Panel) => {
		call.panel.value = p;
	};
	const setOpen = (o: Open) => {
		open.value = o;
	};
	const toNotes = () => {
		if (call.panel.peek() !== "notes") show("notes");
		if (phone) raised.value = true;
		seed.value = { text: "" };
	};
	const onKey = (a: KeyAction): boolean => {
		switch (a.do) {
			case "keys":
				setOpen("keys");
				return true;
			case "note":
				toNotes();
				return true;
			case "write":
				if (call.panel.peek() !== "notes") show("notes");
				if (phone) raised.value = true;
				seed.value = { text: a.text };
				return true;
			case "close":
				return close();
			default:
				return act(call, a);
		}
	};
	const close = (): boolean => {
		if (drawing.peek()) toggleDrawing(call);
		else if (large.peek()) toggleLarge();
		else if (raised.peek()) raised.value = false;
		else if (layout === "talking" && call.panel.peek()) show(null);
		else if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
		return false;
	};
	/** On a phone that watches, notes are the sheet that is always there. */
	const putAway = () => {
		show(phone && layout === "watching" ? "notes" : null);
		raised.value = false;
		document.querySelector<HTMLElement>("main")?.focus({ preventScroll: true });
	};
	useKeys(onKey);
	const openPause = (p: Pause) => {
		pause.value = putOf(p);
	};
	useProposals(call, openPause);
	const addPause = () => {
		const { clip } = call.view.peek() ?? {};
		if (clip) pause.value = newPause(uuidv7(), frameFor(call.clip.seen(), clip));
	};

	const leave = async () => {
		await call.leave();
		onLeft();
	};
	const end = async () => {
		setOpen(null);
		if (await call.ask({ type: "session.end", data: {} })) {
			call.close();
			onLeft({ ended: true });
		}
	};
	const dialogs = (
		<>
			<SettingsDialog open={open.value === "settings"} onClose={() => setOpen(null)} />
			<CallKeys open={open.value === "keys"} onClose={() => setOpen(null)} />
			<EndDialog open={open.value === "end"} onClose={() => setOpen(null)} onEnd={end} />
			<AskDialog open={open.value === "ask"} onClose={() => setOpen(null)} />
			<PauseDialog
				pause={pause.value}
				onClose={() => {
					pause.value = null;
				}}
			/>
		</>
	);
	if (live && phone && call.me.value?.role === "focal") {
		return (
			<>
				<LessonCamera onEnd={() => setOpen("end")} />
				{dialogs}
			</>
		);
	}
	return (
		<div
			class="call"
			data-room={layout}
			data-panel={panel ?? "none"}
			data-kind={v.session.kind}
			data-clip={v.clip ? true : undefined}
		>
			<div class="call__top">
				<CallTopbar onSettings={() => setOpen("settings")} />
				<Banners />
			</div>
			<main class="room" id="main" tabIndex={-1}>
				<Stage />
				{v.clip && (
					<ClipTimeline chosen={chosen} show={() => show("notes")} onPause={openPause} onAddPause={addPause} />
				)}
				<Faces leaveOut={live ? focal?.id : undefined} />
				{layout === "talking" && v.hold && <PauseCard onNote={toNotes} />}
				{panel === "notes" && <NotesPanel seed={seed} chosen={chosen} raised={raised} onClose={putAway} />}
				{panel === "people" && <PeoplePanel onClose={putAway} />}
			</main>
			<footer class="bar">
				<Transport />
				<Controls
					onLeave={leave}
					onEnd={() => setOpen("end")}
					onSettings={() => setOpen("settings")}
					onAsk={() => setOpen("ask")}
					onAddPause={addPause}
					onPeople={() => show(panel === "people" ? "notes" : "people")}
					onNotes={() => {
						show("notes");
						raised.value = !raised.value;
					}}
				/>
				<div class="bar__end">
					<Button
						size="small"
						icon={MessageSquareText}
						aria-expanded={panel === "notes"}
						onClick={() => show(panel === "notes" ? null : "notes")}
					>
						Notes
					</Button>
					<Button
						size="small"
						icon={Users}
						aria-expanded={panel === "people"}
						onClick={() => show(panel === "people" ? null : "people")}
					>
						People
					</Button>
					{v.clip && <LayoutChoice layout={layout} />}
					<IconButton icon={Keyboard} label="Keys" onClick={() => setOpen("keys")} />
				</div>
			</footer>
			<Voices />
			{dialogs}
		</div>
	);
}

/** What a key does that concerns the call itself; gives whether it did something. */
function act(call: CallSession, a: KeyAction): boolean {
	const v = call.view.peek();
	const can = (x: Parameters<CallSession["can"]>[0]) => call.may.peek().has(x);
	switch (a.do) {
		case "play":
			call.playOrStop();
			return true;
		case "step":
			if (call.moves() || can("drive")) call.step(a.frames);
			return true;
		case "jump":
			if ((call.moves() || can("drive")) && v?.clip) call.seek(call.clip.position() + a.ms * 1000);
			return true;
		case "mark":
			void mark(call);
			return true;
		case "pause":
			if (can("call-pause") && v?.clip && !v.hold) void call.press({ type: "pause.call", data: {} });
			return true;
		case "continue":
			call.goOn();
			return true;
		case "mic":
			if (can("publish")) void call.setMic(!call.micOn.peek());
			return true;
		case "camera":
			if (can("publish")) void call.setCamera(call.camera.peek() === null);
			return true;
		case "hand":
			void call.press({ type: "member.hand", data: { up: !call.me.peek()?.hand } });
			return true;
		case "own":
			call.lookAround(!call.clip.alone.peek());
			return true;
		case "draw":
			toggleDrawing(call);
			return true;
		case "full":
			toggleLarge();
			return true;
		default:
			return false;
	}
}

/** Keys work the call, except behind a dialog or a menu: those have keys of their own. */
function useKeys(run: (a: KeyAction) => boolean): void {
	const latest = useRef(run);
	latest.current = run;
	useEffect(() => {
		const onKeyDown = (e: KeyboardEvent) => {
			if (e.defaultPrevented || document.querySelector("dialog[open], .menu__list")) return;
			const a = keyAction(e, focusOf(document.activeElement));
			if (a && latest.current(a)) e.preventDefault();
		};
		document.addEventListener("keydown", onKeyDown);
		return () => document.removeEventListener("keydown", onKeyDown);
	}, []);
}

interface ClipTimelineProps {
	chosen: { value: string[] };
	show: () => void;
	onPause: (p: Pause) => void;
	onAddPause: () => void;
}

function ClipTimeline({ chosen, show, onPause, onAddPause }: ClipTimelineProps) {
	const call = useCall();
	const v = call.view.value;
	if (!v?.clip) return null;
	const clip = v.clip;
	const onNotes = (notes: Note[]) => {
		show();
		chosen.value = notes.map((n) => n.id);
	};
	return (
		<section class="timeline" aria-labelledby="tl-h">
			<h2 class="vh" id="tl-h">
				Timeline
			</h2>
			<Timeline
				key={clip.id}
				clip={clip}
				pauses={v.pauses}
				notes={v.notes}
				position={() => call.clip.position()}
				onSeek={call.moves() ? (us) => call.seek(us) : undefined}
				onPause={onPause}
				onAddPause={call.can("propose") && !v.hold ? onAddPause : undefined}
				addPauseLabel={call.can("prepare") ? "Prepare a pause here" : "Propose a pause here"}
				onNotes={onNotes}
				holding={v.hold?.pause}
			/>
		</section>
	);
}

/** Tells those who prepare pauses that somebody proposes one, and opens it from there. */
function useProposals(call: CallSession, open: (p: Pause) => void): void {
	useEffect(() => {
		let known: Set<string> | null = null;
		return effect(() => {
			const pauses = call.view.value?.pauses ?? [];
			const fresh =
				known && call.may.value.has("prepare") ? newProposals(known, pauses, call.me.peek()?.name ?? "") : [];
			known = new Set(pauses.map((p) => p.id));
			const clip = call.view.peek()?.clip;
			for (const p of fresh) {
				const at = clip ? ` at ${fmtClip(frameMiddle(p.frame, clip))}` : "";
				toast(`${p.by} proposes a pause${at}.`, { label: "See it", run: () => open(p) });
			}
		});
	}, []);
}

/** The layout follows the room; pressing the one in use again goes back to following. */
function LayoutChoice({ layout }: { layout: Layout }) {
	const call = useCall();
	const choose = (l: Layout) => {
		const room: Layout = call.view.peek()?.hold ? "talking" : "watching";
		call.layoutChoice.value = l === room ? null : l;
	};
	const follows = call.layoutChoice.value === null;
	return (
		<fieldset class="seg" aria-label={follows ? "Layout: follows the room" : "Layout: chosen by you"}>
			<button type="button" aria-pressed={layout === "watching"} onClick={() => choose("watching")}>
				Watch
			</button>
			<button type="button" aria-pressed={layout === "talking"} onClick={() => choose("talking")}>
				Talk
			</button>
		</fieldset>
	);
}

/** The room's change between watching and talking. What moves at it is the pause's card alone: see call.css. */
function useLayout(call: CallSession, phone: boolean): Layout {
	const shown = useSignal<Layout>(call.layout.peek());
	useEffect(
		() =>
			effect(() => {
				const next = call.layout.value;
				if (next === shown.peek() && next === "watching") return;
				batch(() => {
					shown.value = next;
					call.panel.value =
						next === "talking" && (phone || call.view.peek()?.clip) ? null : (call.panel.peek() ?? "notes");
					large.value = false;
					drawing.value = false;
				});
			}),
		[],
	);
	return shown.value;
}

function Banners() {
	const call = useCall();
	const lost = call.state.value === "lost";
	const quiet = call.voicesBlocked.value || (call.clip.following.value.soundRefused && !call.together.value);
	const v = call.view.value;
	const question = v && !lost && recordingQuestion(v.recording, v.members, call.you.value);
	const answer = (agree: boolean) => void call.press({ type: "member.consent", data: { agree } });
	return (
		<>
			{question && (
				<Notice
					bar
					live
					tone="accent"
					action={
						<div class="notice__answers">
							<Button size="small" variant="primary" onClick={() => answer(true)}>
								I agree
							</Button>
							<Button size="small" variant="outline" onClick={() => answer(false)}>
								Not this time
							</Button>
						</div>
					}
				>
					{question} You can take it back at any time.
				</Notice>
			)}
			{lost && (
				<Notice
					bar
					icon={WifiOff}
					action={
						<Button size="small" onClick={() => call.reconnect()}>
							Try now
						</Button>
					}
				>
					Connection lost. You are brought back by itself; the clip goes on here.
				</Notice>
			)}
			{quiet && (
				<Notice
					bar
					tone="accent"
					icon={VolumeX}
					action={
						<Button size="small" variant="primary" onClick={() => call.turnOnSound()}>
							Turn on sound
						</Button>
					}
				>
					Your browser plays no sound before you click.
				</Notice>
			)}
		</>
	);
}
