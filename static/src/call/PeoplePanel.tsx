import { useSignal } from "@preact/signals";
import { ChevronDown, Ellipsis, Hand, MicOff, MonitorUp, MousePointerClick, X } from "lucide";
import type { Member } from "../event.gen.ts";
import { Avatar } from "../ui/Avatar.tsx";
import { Button, IconButton } from "../ui/Button.tsx";
import { Dialog } from "../ui/Dialog.tsx";
import { Icon } from "../ui/Icon.tsx";
import { Menu, type MenuItem } from "../ui/Menu.tsx";
import { roleWord } from "../words.ts";
import { useCall } from "./context.ts";
import { driversSentence } from "./say.ts";
import type { CallSession } from "./session.ts";

/** Who is here, with role and way of being here. Observers come first: nobody watches unseen. */
export function PeoplePanel({ onClose }: { onClose: () => void }) {
	const call = useCall();
	const removing = useSignal<Member | null>(null);
	const members = (call.view.value?.members ?? []).filter((m) => m.presence !== "left");
	const observers = members.filter((m) => m.role === "observer");
	const others = members.filter((m) => m.role !== "observer");
	const person = removing.value;
	return (
		<section class="panel card people-panel" aria-labelledby="people-h">
			<div class="panel__head">
				<h2 id="people-h">People</h2>
				<span class="faint num">{members.length}</span>
				<IconButton class="panel__close" icon={X} label="Close people" onClick={onClose} />
			</div>
			<Drivers members={members} />
			<div class="people">
				<h3 class="label t12">{observers.length > 0 ? "Observers: they watch and are not heard" : "No observers"}</h3>
				{observers.length > 0 && <List members={observers} onRemove={(m) => ask(m)} />}
				<h3 class="label t12">In the conversation</h3>
				<List members={others} onRemove={(m) => ask(m)} />
			</div>
			<Dialog
				open={person !== null}
				title={`Remove ${person?.name ?? ""}?`}
				onClose={() => ask(null)}
				actions={
					<>
						<Button variant="outline" onClick={() => ask(null)}>
							Keep them here
						</Button>
						<Button
							variant="danger"
							onClick={() => {
								if (person) void call.press({ type: "member.remove", data: { member: person.id } });
								ask(null);
							}}
						>
							Remove
						</Button>
					</>
				}
			>
				<p>They leave the call at once, and their invitation lets them in no more.</p>
			</Dialog>
		</section>
	);

	function ask(m: Member | null) {
		removing.value = m;
	}
}

/** Who plays and stops the clip, said to everybody; to hand that over is one step for those who may. */
function Drivers({ members }: { members: Member[] }) {
	const call = useCall();
	const v = call.view.value;
	if (!v?.clip) return null;
	const you = call.you.value;
	const holder = members.find((m) => m.id === v.controls.holder);
	const peers = members.filter((m) => m.role === "peer" && m.id !== you && m.id !== holder?.id);
	const may = call.can("hand-over");
	const gives = may && call.me.value?.role !== "peer" && peers.length > 0;
	return (
		<div class="drivers">
			<p>{driversSentence(members, v.controls.holder, you)}</p>
			{may && holder && (
				<Button variant="outline" size="small" onClick={() => call.giveControls("")}>
					{holder.id === you ? "Give the controls back" : "Take the controls back"}
				</Button>
			)}
			{gives && (
				<Menu
					label="Hand over the controls"
					buttonClass="btn btn--outline btn--small"
					items={peers.map((m) => ({ label: m.name, onSelect: () => void call.giveControls(m.id) }))}
				>
					Hand over
					<Icon icon={ChevronDown} size={16} />
				</Menu>
			)}
		</div>
	);
}

function List({ members, onRemove }: { members: Member[]; onRemove: (m: Member) => void }) {
	const call = useCall();
	return (
		<ul>
			{members.map((m) => (
				<li key={m.id} class="person">
					<Avatar name={m.name} size={40} />
					<div>
						<strong>{m.name}</strong>
						<span class="quiet">
							{roleWord[m.role]}
							{m.id === call.you.value ? " · you" : m.guest ? " · guest" : ""}
							{wayOf(call, m)}
						</span>
					</div>
					<span class="person__signs">
						{call.view.value?.controls.holder === m.id && (
							<Icon icon={MousePointerClick} size={16} label="has the controls" />
						)}
						{!!m.hand && <Icon icon={Hand} size={16} label="would like to speak" />}
						{m.screen && <Icon icon={MonitorUp} size={16} label="shares the screen" />}
						{m.role !== "observer" && !m.mic && <Icon icon={MicOff} size={16} label="microphone off" />}
					</span>
					<Do member={m} onRemove={() => onRemove(m)} />
				</li>
			))}
		</ul>
	);
}

function wayOf(call: CallSession, m: Member): string {
	if (m.presence === "away") return " · away";
	if (call.quality.value.get(m.id)) return " · poor connection";
	if (m.watching === "own") return " · looks around in the clip";
	if (m.watching === "behind") return " · catching up";
	return call.typing.value.has(m.id) ? " · writing" : "";
}

function Do({ member: m, onRemove }: { member: Member; onRemove: () => void }) {
	const call = useCall();
	const items = actionsFor(call, m, onRemove);
	if (items.length === 0) return null;
	return (
		<Menu label={`More for ${m.name}`} buttonClass="icon-btn icon-btn--small" items={items}>
			<Icon icon={Ellipsis} size={16} />
		</Menu>
	);
}

function actionsFor(call: CallSession, m: Member, onRemove: () => void): MenuItem[] {
	const items: MenuItem[] = [];
	const holder = call.view.value?.controls.holder;
	const you = m.id === call.you.value;
	if (call.can("hand-over") && holder === m.id) {
		const label = you ? "Give the controls back" : "Take the controls back";
		items.push({ label, onSelect: () => void call.giveControls("") });
	} else if (call.can("hand-over") && m.role === "peer" && !you && call.me.value?.role !== "peer") {
		items.push({
			label: "Hand over the controls",
			onSelect: () => void call.giveControls(m.id),
		});
	}
	if (call.can("change-role") && (m.role === "observer" || m.role === "peer")) {
		const role = m.role === "observer" ? "peer" : "observer";
		const label = role === "peer" ? "Let them speak, as a peer" : "Make them an observer";
		items.push({ label, onSelect: () => void call.press({ type: "member.role", data: { member: m.id, role } }) });
	}
	if (call.can("remove") && !you) items.push({ label: "Remove…", danger: true, onSelect: onRemove });
	return items;
}
