import { ChevronUp, Ellipsis, Hand, Mic, MicOff, MonitorUp, MonitorX, Video, VideoOff } from "lucide";
import { Button, IconButton } from "../ui/Button.tsx";
import { Icon } from "../ui/Icon.tsx";
import { Menu, type MenuItem } from "../ui/Menu.tsx";
import { useCall } from "./context.ts";
import type { CallSession } from "./session.ts";

export interface ControlsProps {
	onLeave: () => void;
	onEnd: () => void;
	onSettings: () => void;
	/** Opens the form to call a pause with a question. */
	onAsk: () => void;
	onAddPause: () => void;
	onPeople: () => void;
	onNotes: () => void;
}

export function Controls(p: ControlsProps) {
	const call = useCall();
	const v = call.view.value;
	if (!v) return null;
	const publish = call.can("publish");
	const mic = call.micOn.value;
	const camera = call.camera.value !== null;
	const screen = call.screen.value !== null;
	const canShare = publish && "getDisplayMedia" in (navigator.mediaDevices ?? {});
	return (
		// biome-ignore lint/a11y/useSemanticElements: a group of buttons is no fieldset
		<div class="controls" role="group" aria-label="Call">
			{publish && (
				<>
					<IconButton
						icon={mic ? Mic : MicOff}
						off={!mic}
						label={mic ? "Microphone is on. Turn it off" : "Microphone is off. Turn it on"}
						onClick={() => call.setMic(!mic)}
					/>
					<IconButton
						icon={camera ? Video : VideoOff}
						off={!camera}
						label={camera ? "Camera is on. Turn it off" : "Camera is off. Turn it on"}
						onClick={() => call.setCamera(!camera)}
					/>
				</>
			)}
			{canShare && (
				<IconButton
					class="only-desk"
					icon={screen ? MonitorX : MonitorUp}
					label={screen ? "Stop sharing your screen" : "Share your screen"}
					pressed={screen || undefined}
					onClick={() => call.shareScreen()}
				/>
			)}
			<HandOrPause onAsk={p.onAsk} onAddPause={p.onAddPause} />
			<span class="sep only-desk" aria-hidden="true" />
			<span class="leave only-desk">
				<Button variant="leave" onClick={p.onLeave}>
					Leave
				</Button>
				{call.can("end") && (
					<Menu
						label="More ways to leave"
						buttonClass="icon-btn icon-btn--small"
						up
						items={[{ label: "End for everyone", danger: true, onSelect: p.onEnd }]}
					>
						<Icon icon={ChevronUp} size={16} />
					</Menu>
				)}
			</span>
			<span class="only-phone more">
				<Menu
					label="More: notes, people, pauses, settings, leave"
					buttonClass="icon-btn"
					up
					items={phoneItems(call, p)}
				>
					<Icon icon={Ellipsis} />
				</Menu>
			</span>
		</div>
	);
}

function phoneItems(call: CallSession, p: ControlsProps): MenuItem[] {
	const v = call.view.value;
	const end = call.can("end");
	const alone = call.clip.alone.value;
	return [
		...(v?.clip && !v.hold ? pauseItems(call, p) : []),
		...(v?.clip
			? [
					{
						label: alone ? "Come back to the others" : "Look around on your own",
						onSelect: () => call.lookAround(!alone),
					},
				]
			: []),
		...(v?.controls.holder === call.you.value && call.can("hand-over")
			? [{ label: "Give the controls back", onSelect: () => void call.giveControls("") }]
			: []),
		{ label: "Notes", onSelect: p.onNotes },
		{ label: "People", onSelect: p.onPeople },
		{ label: "Settings", onSelect: p.onSettings },
		{ label: "Leave", danger: true, onSelect: p.onLeave },
		...(end ? [{ label: "End for everyone", danger: true, onSelect: p.onEnd }] : []),
	];
}

/** A pause with a question; one that is prepared for later, here. */
function pauseItems(call: CallSession, p: Pick<ControlsProps, "onAsk" | "onAddPause">): MenuItem[] {
	const items: MenuItem[] = [];
	if (call.can("call-pause")) items.push({ label: "Pause with a question…", onSelect: p.onAsk });
	if (call.can("propose")) {
		const label = call.can("prepare") ? "Prepare a pause at this frame…" : "Propose a pause at this frame…";
		items.push({ label, onSelect: p.onAddPause });
	}
	return items;
}

/** While talking, to call a pause gives its place to the wish to speak. */
function HandOrPause(p: Pick<ControlsProps, "onAsk" | "onAddPause">) {
	const call = useCall();
	const up = !!call.me.value?.hand;
	const raise = () => void call.press({ type: "member.hand", data: { up: !up } });
	if (call.view.value?.hold) {
		return (
			<>
				<span class="sep only-desk" aria-hidden="true" />
				<Button variant="outline" icon={Hand} aria-pressed={up} class={up ? "btn--raised" : ""} onClick={raise}>
					I’d like to speak
				</Button>
			</>
		);
	}
	return (
		<>
			<IconButton
				icon={Hand}
				pressed={up || undefined}
				label={up ? "Lower your hand" : "Raise your hand"}
				onClick={raise}
			/>
			{call.can("call-pause") && call.view.value?.clip && (
				<>
					<span class="sep only-desk" aria-hidden="true" />
					<Button variant="pause" onClick={() => call.press({ type: "pause.call", data: {} })}>
						<i class="diamond" />
						Call a pause
					</Button>
					<span class="only-desk">
						<Menu
							label="More ways to pause"
							buttonClass="icon-btn icon-btn--small pause-more"
							up
							items={pauseItems(call, p)}
						>
							<Icon icon={ChevronUp} size={16} />
						</Menu>
					</span>
				</>
			)}
		</>
	);
}
