import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Button } from "../ui/Button.tsx";
import { ConfirmDialog } from "../ui/ConfirmDialog.tsx";
import { Dialog } from "../ui/Dialog.tsx";
import { Check, Select } from "../ui/Field.tsx";
import { KeysDialog } from "../ui/KeysDialog.tsx";
import { WithdrawDialog } from "../ui/WithdrawDialog.tsx";
import { useCall } from "./context.ts";
import { type DeviceList, listDevices } from "./devices.ts";
import { keyList } from "./keys.ts";
import type { Quality } from "./session.ts";

interface Props {
	open: boolean;
	onClose: () => void;
}

export function SettingsDialog({ open, onClose }: Props) {
	const call = useCall();
	const list = useSignal<DeviceList>({ mic: [], camera: [], speaker: [] });
	useEffect(() => {
		if (!open) return;
		const load = () => void listDevices().then((l) => (list.value = l));
		load();
		navigator.mediaDevices?.addEventListener?.("devicechange", load);
		return () => navigator.mediaDevices?.removeEventListener?.("devicechange", load);
	}, [open]);
	const device = (what: "mic" | "camera" | "speaker", label: string) => (
		<Select
			label={label}
			value={call.devices.value[what]}
			options={[{ value: "", label: "Usual one" }, ...list.value[what].map((d) => ({ value: d.id, label: d.label }))]}
			onChange={(id) => void call.choose(what, id)}
		/>
	);
	return (
		<Dialog open={open} title="Settings" onClose={onClose}>
			{call.can("publish") && (
				<>
					{device("mic", "Microphone")}
					{device("camera", "Camera")}
				</>
			)}
			{list.value.speaker.length > 0 && device("speaker", "Speaker")}
			{call.view.value?.clip && (
				<Select<Quality>
					label="Picture of the clip"
					hint="The smaller picture helps on a slow connection. Everybody stays on the same frame."
					value={call.clipQuality.value}
					options={[
						{ value: "auto", label: "As the connection allows" },
						{ value: "720p", label: "Large (720p)" },
						{ value: "360p", label: "Small (360p)" },
					]}
					onChange={(q) => {
						call.clipQuality.value = q;
					}}
				/>
			)}
			<Check
				label="We sit together"
				hint="Mutes the clip and the voices on this device. Leave one device in the room with sound."
				checked={call.together.value}
				onChange={(on) => {
					call.together.value = on;
				}}
			/>
			<ConsentChoice />
		</Dialog>
	);
}

function ConsentChoice() {
	const call = useCall();
	const asking = useSignal(false);
	const me = call.me.value;
	const v = call.view.value;
	if (!me || !v || (!v.session.recorded && v.recording.state === "off" && me.consent === "")) return null;
	if (me.consent !== "agreed")
		return (
			<Check
				label="I agree to being recorded"
				hint="Those who were here can replay it. You can take this back at any time."
				checked={false}
				onChange={() => void call.press({ type: "member.consent", data: { agree: true } })}
			/>
		);
	return (
		<div class="agreed">
			<p>You agreed to being recorded.</p>
			<Button
				variant="outline"
				size="small"
				onClick={() => {
					asking.value = true;
				}}
			>
				Take it back…
			</Button>
			<WithdrawDialog
				open={asking.value}
				during
				held={v.keeping.held > 0}
				onClose={() => {
					asking.value = false;
				}}
				onWithdraw={async (removeNotes) => {
					if (await call.ask({ type: "member.consent", data: { agree: false, removeNotes } })) asking.value = false;
				}}
			/>
		</div>
	);
}

export function CallKeys({ open, onClose }: Props) {
	return (
		<KeysDialog open={open} onClose={onClose} list={keyList}>
			Keys never get in the way of typing. A capital letter anywhere begins a note.
		</KeysDialog>
	);
}

export function EndDialog({ open, onClose, onEnd }: Props & { onEnd: () => void }) {
	return (
		<ConfirmDialog
			open={open}
			title="End the session for everyone?"
			keep="Go on"
			act="End for everyone"
			onClose={onClose}
			onAct={onEnd}
		>
			Everybody leaves the call. Notes and the recording are kept.
		</ConfirmDialog>
	);
}
