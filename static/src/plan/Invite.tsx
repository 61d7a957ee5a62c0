import { CalendarPlus, Ellipsis, RotateCw } from "lucide";
import { useState } from "preact/hooks";
import { api, type Plan, type Role, sentenceOf, urls } from "../api.ts";
import { useLoad } from "../hooks.ts";
import { Button } from "../ui/Button.tsx";
import { CopyButton } from "../ui/CopyButton.tsx";
import { Icon } from "../ui/Icon.tsx";
import { absolute } from "../ui/InviteDialog.tsx";
import { Menu } from "../ui/Menu.tsx";
import { toast } from "../ui/Toast.tsx";
import { roleWord } from "../words.ts";

const order: Role[] = ["focal", "coach", "facilitator", "peer", "observer"];

const what: Record<Role, string> = {
	focal: "Whose lesson it is",
	coach: "Listens and asks",
	facilitator: "Leads the conversation",
	peer: "Takes part",
	observer: "Sees and hears, does not speak",
};

/** Links that let people in, one for each role: whoever has the link may come. */
export function Invite({ plan }: { plan: Plan }) {
	const loaded = useLoad(() => api.links(plan.id), plan.id);
	const [made, setMade] = useState<Partial<Record<Role, string>>>({});
	if (!loaded.data) return null; // also for those who may not invite
	const linkOf = (role: Role) => made[role] ?? loaded.data?.find((l) => l.role === role)?.url;
	const make = async (role: Role): Promise<string> => {
		const { url } = await api.replaceLink(plan.id, role);
		setMade((m) => ({ ...m, [role]: url }));
		return absolute(url);
	};
	const replace = (role: Role) =>
		make(role).then(
			() => toast("There is a new link. The old one no longer lets anybody in."),
			(e) => toast(sentenceOf(e)),
		);
	return (
		<section class="card invite" aria-labelledby="inv-h">
			<div class="head">
				<h2 id="inv-h">Invite</h2>
				{plan.scheduled && (
					<a class="btn btn--small" href={urls.calendar(plan.id)} download>
						<Icon icon={CalendarPlus} size={16} />
						Calendar file
					</a>
				)}
			</div>
			<ul class="people">
				{order.map((role) => {
					const url = linkOf(role);
					return (
						<li key={role}>
							<span class="name">
								{roleWord[role]}
								<small>{what[role]}</small>
							</span>
							{url ? (
								<CopyButton text={absolute(url)} of={`for the ${roleWord[role].toLowerCase()}`} />
							) : (
								<Button size="small" onClick={() => void make(role).catch((e) => toast(sentenceOf(e)))}>
									Make a link
									<span class="vh"> for the {roleWord[role].toLowerCase()}</span>
								</Button>
							)}
							{url && (
								<Menu
									label={`More for the ${roleWord[role].toLowerCase()}`}
									buttonClass="icon-btn icon-btn--small"
									items={[{ label: "Replace this link", icon: RotateCw, onSelect: () => void replace(role) }]}
								>
									<Icon icon={Ellipsis} />
								</Menu>
							)}
						</li>
					);
				})}
			</ul>
			<p class="hint">Whoever opens a link needs no account: a name is enough. Everybody inside sees who is there.</p>
		</section>
	);
}
