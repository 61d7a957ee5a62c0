import type { IconNode } from "lucide";
import { CircleAlert, Info } from "lucide";
import type { ComponentChildren } from "preact";
import { Icon } from "./Icon.tsx";

interface NoticeProps {
	tone?: "plain" | "danger" | "accent";
	icon?: IconNode;
	/** Lies across the page, under the top bar. */
	bar?: boolean;
	action?: ComponentChildren;
	/** Spoken as soon as it appears. */
	live?: boolean;
	children: ComponentChildren;
}

export function Notice({ tone = "plain", icon, bar, action, live, children }: NoticeProps) {
	const cls = ["notice", tone === "plain" ? "" : `notice--${tone}`, bar ? "notice--bar" : ""].filter(Boolean).join(" ");
	return (
		<div class={cls} role={live ? "alert" : undefined}>
			<Icon icon={icon ?? (tone === "danger" ? CircleAlert : Info)} />
			<div>{children}</div>
			{action}
		</div>
	);
}

interface EmptyStateProps {
	title: string;
	children?: ComponentChildren;
	action?: ComponentChildren;
}

export function EmptyState({ title, children, action }: EmptyStateProps) {
	return (
		<div class="empty">
			<strong class="t16">{title}</strong>
			{children && <p>{children}</p>}
			{action}
		</div>
	);
}
