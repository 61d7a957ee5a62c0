import { Play, StepBack, StepForward, Pause as StopIcon } from "lucide";
import { useRef } from "preact/hooks";
import { useDrawing } from "../hooks.ts";
import { nextStop } from "../sync/line.ts";
import { IconButton } from "../ui/Button.tsx";
import { Icon } from "../ui/Icon.tsx";
import { Menu } from "../ui/Menu.tsx";
import { fmtClip, fmtLength, fmtMs, names } from "../ui/time.ts";
import { shortName } from "../words.ts";
import { useCall } from "./context.ts";
import { countdown } from "./say.ts";
import { useTick } from "./time.ts";

const rates = [0.25, 0.5, 0.75, 1, 1.25, 1.5, 2];

export function Transport() {
	const call = useCall();
	const v = call.view.value;
	if (!v?.clip) return <div class="transport">{v && <Elapsed />}</div>;
	const alone = call.clip.alone.value;
	if (v.hold && !alone) return <Holding />;
	const stopped = alone ? !call.clip.own.value?.moving : v.playback.mode === "stopped";
	return (
		<fieldset class="transport" aria-label="Playback">
			{call.moves() && (
				<>
					<button
						type="button"
						class="btn btn--play"
						aria-label={stopped ? "Play" : "Stop"}
						title={`${stopped ? "Play" : "Stop"} for ${alone ? "yourself" : "everyone"}`}
						onClick={() => call.playOrStop()}
					>
						<Icon icon={stopped ? Play : StopIcon} />
					</button>
					<IconButton class="only-desk" icon={StepBack} label="Back one frame" onClick={() => call.step(-1)} />
					<IconButton class="only-desk" icon={StepForward} label="Forward one frame" onClick={() => call.step(1)} />
				</>
			)}
			<Clock duration={v.clip.duration} />
			{!alone && (
				<>
					<Rate />
					<Ahead />
				</>
			)}
		</fieldset>
	);
}

/** The clip's time, written by animation frames and not by rendering. */
function Clock({ duration }: { duration: number }) {
	const call = useCall();
	const ref = useRef<HTMLElement>(null);
	useDrawing(() => {
		const text = fmtClip(call.clip.position(), true);
		if (ref.current && ref.current.textContent !== text) ref.current.textContent = text;
	});
	return (
		<p class="clock num">
			<b ref={ref} data-testid="clock" /> <span class="faint">/ {fmtClip(duration)}</span>
		</p>
	);
}

function Rate() {
	const call = useCall();
	const rate = call.view.value?.playback.rate ?? 1;
	const text = `${rate}×`;
	if (!call.can("drive")) return rate === 1 ? null : <span class="quiet rate">{text}</span>;
	return (
		<span class="only-desk">
			<Menu
				label={`Speed: ${text}`}
				buttonClass="btn btn--small rate"
				up
				left
				items={rates.map((r) => ({
					label: `${r}×`,
					checked: r === rate,
					onSelect: () => void call.ask({ type: "playback.rate", data: { rate: r } }),
				}))}
			>
				{text}
			</Menu>
		</span>
	);
}

/** What comes next: a pause, the end of the range, or a start that waits for somebody. */
function Ahead() {
	const call = useCall();
	void useTick(250).value;
	const v = call.view.value;
	if (!v?.clip) return null;
	if (v.playback.mode === "waiting") {
		const late = v.members.filter((m) => m.presence === "here" && !m.watching && !v.playback.ready.includes(m.id));
		const who = late.map((m) => (m.id === call.you.value ? "you" : shortName(m, v.members)));
		const words = who.length > 0 ? `Starts together, waits for ${names(who)}` : "Starts together";
		return (
			<p class="next-wait quiet" title={words}>
				{words}
			</p>
		);
	}
	const at = call.clip.position();
	const stop = nextStop(at, v.pauses, v.clip);
	if (!stop.pause) return null;
	const left = (stop.position - at) / 1000 / v.playback.rate;
	return (
		<p class="next-pause">
			<i class="diamond" />
			<span>
				Pause in <span class="num">{countdown(left)}</span>
			</span>
		</p>
	);
}

function Holding() {
	const call = useCall();
	const hold = call.view.value?.hold;
	if (!hold) return null;
	return (
		<fieldset class="transport" aria-label="Playback">
			<p class="next-pause next-pause--held">
				<i class="diamond" />
				<span>
					Holding at <b class="num">{fmtClip(hold.position, true)}</b>
				</span>
			</p>
			{hold.phase === "thinking" && hold.talk > 0 && (
				<p class="clock faint then">then {fmtLength(hold.talk)} to talk</p>
			)}
		</fieldset>
	);
}

function Elapsed() {
	const call = useCall();
	void useTick(1000).value;
	return (
		<p class="clock num">
			<b>{fmtMs(Math.max(0, call.now()))}</b> <span class="faint">since the start</span>
		</p>
	);
}
