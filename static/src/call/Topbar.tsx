import { Settings2 } from "lucide";
import { Button, IconButton } from "../ui/Button.tsx";
import { Logo } from "../ui/Logo.tsx";
import { shortName } from "../words.ts";
import { useCall } from "./context.ts";
import { recordingLine } from "./say.ts";

export function CallTopbar({ onSettings }: { onSettings: () => void }) {
	const call = useCall();
	const v = call.view.value;
	if (!v) return null;
	return (
		<header class="topbar">
			<div class="topbar__title">
				<Logo />
				<h1>{v.session.title}</h1>
				{v.session.focus && (
					<p>
						<span class="vh">Focus question: </span>
						{v.session.focus}
					</p>
				)}
			</div>
			<div class="topbar__end">
				<Holder />
				<Recording />
				<IconButton class="only-desk" icon={Settings2} label="Settings" onClick={onSettings} />
			</div>
		</header>
	);
}

/** That somebody was handed the controls, in sight of all who drive. */
function Holder() {
	const call = useCall();
	const v = call.view.value;
	const holder = v?.clip && v.members.find((m) => m.id === v.controls.holder && m.presence !== "left");
	if (!v || !holder || !call.can("hand-over")) return null;
	const you = holder.id === call.you.value;
	return (
		<p class="holder only-desk">
			<span>{you ? "You have the controls" : `${shortName(holder, v.members)} has the controls`}</span>
			<Button size="small" onClick={() => call.giveControls("")}>
				{you ? "Give back" : "Take back"}
			</Button>
		</p>
	);
}

function Recording() {
	const call = useCall();
	const v = call.view.value;
	if (!v) return null;
	const { state, by, reason } = v.recording;
	const line = recordingLine(v.recording, v.session.opened, v.members);
	const off = state === "off-the-record";
	const stops =
		call.can("off-the-record") && (line.on || (state === "asking" && (by === call.you.value || call.can("record"))));
	const starts = !line.on && state !== "asking" && (call.can("record") || (off && by === call.you.value));
	return (
		<>
			<p class={off ? "rec rec--off" : "rec"} title={reason}>
				{line.on && <span class="rec__dot" />}
				<span class="rec__long">{line.long}</span>
				<span class="rec__short">{line.short}</span>
			</p>
			{stops && (
				<Button variant="outline" size="small" onClick={() => call.press({ type: "recording.stop", data: {} })}>
					{line.on ? "Off the record" : "Do not record"}
				</Button>
			)}
			{starts && (
				<Button variant="outline" size="small" onClick={() => call.press({ type: "recording.start", data: {} })}>
					{off ? "On the record" : "Record"}
				</Button>
			)}
		</>
	);
}
