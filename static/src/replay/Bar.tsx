/** The bar below: playing, pauses as chapters, and how time runs. */
import { ChevronLeft, ChevronRight, Keyboard, Pause, Play, RotateCcw } from "lucide";
import { useEffect, useState } from "preact/hooks";
import { isForTyping } from "../player/player.ts";
import { Button, IconButton } from "../ui/Button.tsx";
import { Icon } from "../ui/Icon.tsx";
import { type KeyList, KeysDialog } from "../ui/KeysDialog.tsx";
import { Menu } from "../ui/Menu.tsx";
import { Spinner } from "../ui/Spinner.tsx";
import { fmtMs } from "../ui/time.ts";
import { type Mode, RATES } from "./conductor.ts";
import { useReplay } from "./context.ts";
import { keyStep } from "./Slider.tsx";
import { amongPauses, titleOf } from "./say.ts";
import type { ReplaySession } from "./session.ts";

export function Bar() {
	const replay = useReplay();
	const [keys, setKeys] = useState(false);
	useKeys(replay, () => setKeys(true));
	return (
		<footer class="replay__bar">
			<Transport />
			<Pauses />
			<div class="replay__end">
				{replay.history.firstRun !== null && <How />}
				<IconButton icon={Keyboard} label="Keys" class="only-desk" onClick={() => setKeys(true)} />
			</div>
			<KeysDialog open={keys} onClose={() => setKeys(false)} list={keyList} />
		</footer>
	);
}

function Transport() {
	const { conductor } = useReplay();
	const playing = conductor.playing.value;
	const rate = conductor.rate.value;
	return (
		<fieldset class="transport">
			<legend class="vh">Playback</legend>
			<button
				type="button"
				class="btn btn--play"
				aria-label={playing ? "Stop" : "Play"}
				title={playing ? "Stop" : "Play"}
				onClick={() => conductor.toggle()}
			>
				{conductor.waiting.value ? <Spinner /> : <Icon icon={playing ? Pause : Play} />}
			</button>
			<IconButton icon={RotateCcw} label="Ten seconds back" onClick={() => conductor.seek(conductor.now() - 10_000)} />
			<Clock />
			<Menu
				label={`Speed: ${rate}×`}
				buttonClass="btn btn--small rate"
				up
				left
				items={RATES.map((r) => ({ label: `${r}×`, checked: r === rate, onSelect: () => conductor.setRate(r) }))}
			>
				{rate}×
			</Menu>
		</fieldset>
	);
}

function Clock() {
	const { conductor } = useReplay();
	return (
		<p class="clock num">
			<b>{fmtMs(conductor.time.value)}</b> <span class="faint">/ {fmtMs(conductor.duration)}</span>
		</p>
	);
}

function Pauses() {
	const replay = useReplay();
	const n = replay.history.chapters.length;
	if (n === 0) return <span />;
	const t = replay.conductor.time.value;
	const before = replay.pauseFrom(-1, t);
	const after = replay.pauseFrom(1, t);
	const now = replay.chapter.value;
	return (
		<fieldset class="replay__chap">
			<legend class="vh">Pauses</legend>
			<Button
				size="small"
				aria-label="Previous pause"
				title={before ? `Pause ${before.number}: ${titleOf(before)}` : undefined}
				disabled={!before}
				onClick={() => replay.seekPause(-1)}
			>
				<Icon icon={ChevronLeft} />
				<span class="replay__chapname">Previous</span>
			</Button>
			<span class={now ? "replay__where replay__where--now" : "replay__where"}>
				{now && <i class="diamond" />}
				<span>{amongPauses(replay.history, t)}</span>
			</span>
			<Button
				size="small"
				aria-label="Next pause"
				title={after ? `Pause ${after.number}: ${titleOf(after)}` : undefined}
				disabled={!after}
				onClick={() => replay.seekPause(1)}
			>
				<span class="replay__chapname">Next</span>
				<Icon icon={ChevronRight} />
			</Button>
		</fieldset>
	);
}

const ways: [Mode, string, string][] = [
	["conversation", "By conversation", "Time runs as the conversation went"],
	["clip", "By clip", "Only where the clip ran; talk at pauses is left out"],
];

function How() {
	const { conductor } = useReplay();
	return (
		<fieldset class="seg">
			<legend class="vh">Time runs</legend>
			{ways.map(([mode, label, title]) => (
				<button
					type="button"
					key={mode}
					title={title}
					aria-pressed={conductor.mode.value === mode}
					onClick={() => conductor.setMode(mode)}
				>
					{label}
				</button>
			))}
		</fieldset>
	);
}

const keyList: KeyList = [
	[["Space"], "Play or stop"],
	[["←", "→"], "One second back or forward; ten with Shift"],
	[["[", "]"], "Previous or next pause"],
	[["<", ">"], "Slower or faster"],
	[["Home", "End"], "Begin or end"],
	[["?"], "These keys"],
	[["Esc"], "Close what is open"],
];

function useKeys(replay: ReplaySession, showKeys: () => void): void {
	useEffect(() => {
		const on = (e: KeyboardEvent) => {
			if (isForTyping(e) || (e.target as Element | null)?.closest?.("[tabindex].notes")) return;
			if (act(replay, e, showKeys)) e.preventDefault();
		};
		document.addEventListener("keydown", on);
		return () => document.removeEventListener("keydown", on);
	}, [replay]);
}

function act(replay: ReplaySession, e: KeyboardEvent, showKeys: () => void): boolean {
	const { conductor } = replay;
	switch (e.key) {
		case " ":
			if (!e.repeat) conductor.toggle();
			return true;
		case "[":
			replay.seekPause(-1);
			return true;
		case "]":
			replay.seekPause(1);
			return true;
		case "<":
			faster(replay, -1);
			return true;
		case ">":
			faster(replay, 1);
			return true;
		case "?":
			showKeys();
			return true;
	}
	if (/^(Page|ArrowUp|ArrowDown)/.test(e.key)) return false;
	const by = keyStep(e);
	if (by === null) return false;
	conductor.seek(Number.isFinite(by) ? conductor.now() + by * 1000 : by < 0 ? 0 : conductor.duration);
	return true;
}

function faster(replay: ReplaySession, by: 1 | -1): void {
	const { rate, setRate } = { rate: replay.conductor.rate.value, setRate: (r: number) => replay.conductor.setRate(r) };
	const i = RATES.indexOf(rate as (typeof RATES)[number]);
	setRate(RATES[Math.min(RATES.length - 1, Math.max(0, i + by))]!);
}
