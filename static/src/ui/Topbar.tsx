import { ArrowLeft, FileX, Film, Gavel, House, LogOut, MessagesSquare, UserPlus } from "lucide";
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { account, signOut } from "../account.ts";
import { sentenceOf } from "../api.ts";
import { navigate, path } from "../router.ts";
import { Avatar } from "./Avatar.tsx";
import { IconButton } from "./Button.tsx";
import { InviteDialog } from "./InviteDialog.tsx";
import { Logo } from "./Logo.tsx";
import { Menu } from "./Menu.tsx";
import { toast } from "./Toast.tsx";

export function Brand() {
	return (
		<a class="brand" href="/">
			<Logo />
			<strong>Pausepoint</strong>
		</a>
	);
}

const places = [
	["/", "Home"],
	["/clips", "Clips"],
	["/sessions", "Sessions"],
] as const;

export interface Back {
	href: string;
	/** Where it leads: "Clips". */
	label: string;
}

interface TopbarProps {
	/** On a page that works on one thing: the way back in the place of the ways on. */
	back?: Back;
	end?: ComponentChildren;
}

/** The bar of ordinary pages: the house's mark, where one can go, and one's account. */
export function Topbar({ back, end }: TopbarProps) {
	if (back) {
		return (
			<header class="topbar topbar--page topbar--wide">
				<div class="topbar__back">
					<IconButton icon={ArrowLeft} label={`Back to ${back.label.toLowerCase()}`} href={back.href} />
					<a href={back.href}>{back.label}</a>
				</div>
				<div class="topbar__end">
					{end}
					<AccountMenu />
				</div>
			</header>
		);
	}
	return (
		<header class="topbar topbar--page">
			<Brand />
			{account.value && (
				<nav class="nav" aria-label="Main">
					{places.map(([to, label]) => (
						<a key={to} href={to} aria-current={path.value === to ? "page" : undefined}>
							{label}
						</a>
					))}
				</nav>
			)}
			<div class="topbar__end">
				{end}
				<AccountMenu />
			</div>
		</header>
	);
}

export function AccountMenu() {
	const [inviting, setInviting] = useState(false);
	const me = account.value;
	if (!me) return null;
	const leave = async () => {
		try {
			await signOut();
			navigate("/signin");
		} catch (e) {
			toast(sentenceOf(e));
		}
	};
	return (
		<>
			<Menu
				label={`${me.name}, your account`}
				buttonClass="icon-btn account-btn"
				head={
					<>
						<strong>{me.name}</strong>
						<br />
						<span class="quiet">{me.email}</span>
					</>
				}
				items={[
					{ label: "Home", icon: House, href: "/" },
					{ label: "Clips", icon: Film, href: "/clips" },
					{ label: "Sessions", icon: MessagesSquare, href: "/sessions" },
					{ label: "Deleted sessions", icon: FileX, href: "/receipts" },
					...(me.admin ? [{ label: "Legal holds", icon: Gavel, href: "/holds" }] : []),
					{ label: "Invite a colleague", icon: UserPlus, onSelect: () => setInviting(true) },
					{ label: "Sign out", icon: LogOut, onSelect: leave },
				]}
			>
				<Avatar name={me.name} />
			</Menu>
			<InviteDialog open={inviting} onClose={() => setInviting(false)} />
		</>
	);
}
