import { ShieldAlert } from "lucide";
import type { ComponentChildren } from "preact";
import { Notice } from "./Notice.tsx";
import { type Back, Topbar } from "./Topbar.tsx";

interface ShellProps {
	/** The page leads to a camera and a microphone: say so if this browser will not give them. */
	devices?: boolean;
	narrow?: boolean;
	/** The way back, on a page that works on one thing. */
	back?: Back;
	/** At the end of the bar. */
	end?: ComponentChildren;
	class?: string;
	children: ComponentChildren;
}

/** An ordinary page: the bar, what must be known first, and the content. */
export function Shell({ devices, narrow, back, end, class: cls, children }: ShellProps) {
	return (
		<div class="shell shell--page">
			<Topbar back={back} end={end} />
			{devices && <InsecureNotice />}
			<main class={["page", narrow ? "page--narrow" : "", cls ?? ""].filter(Boolean).join(" ")} id="main" tabIndex={-1}>
				{children}
			</main>
		</div>
	);
}

/** Browsers give microphones and cameras to pages over https:// and on the same computer only. */
export function InsecureNotice() {
	if (window.isSecureContext) return null;
	return (
		<Notice bar tone="danger" icon={ShieldAlert}>
			<strong>Your browser keeps camera and microphone closed on this address.</strong> It opens them for addresses that
			begin with https://, and for localhost. Ask whoever runs this server to give it a certificate, and show them this:{" "}
			<span class="num">{location.origin}</span>. You can join without them: you see, hear and write.
		</Notice>
	);
}
