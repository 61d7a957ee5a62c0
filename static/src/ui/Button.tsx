import type { IconNode } from "lucide";
import type { ComponentChildren, JSX } from "preact";
import { Icon } from "./Icon.tsx";
import { Spinner } from "./Spinner.tsx";

type Native = Omit<JSX.IntrinsicElements["button"], "icon" | "size" | "class" | "children" | "label">;

export interface ButtonProps extends Native {
	/** One primary in a view; "pause" is amber, "leave" red text, "danger" red ground. */
	variant?: "primary" | "outline" | "quiet" | "plain" | "pause" | "leave" | "danger";
	size?: "small" | "large";
	icon?: IconNode;
	/** Makes it a link that looks like a button. */
	href?: string;
	/** Shows a spinner and refuses presses; the button keeps its focus and its width. */
	busy?: boolean;
	wide?: boolean;
	class?: string;
	children?: ComponentChildren;
}

export function Button(p: ButtonProps) {
	const { variant = "plain", size, icon, href, busy, wide, class: cls, children, onClick, type, ...rest } = p;
	const name = [
		"btn",
		variant === "plain" ? "" : `btn--${variant}`,
		size ? `btn--${size}` : "",
		wide ? "btn--wide" : "",
		cls ?? "",
	]
		.filter(Boolean)
		.join(" ");
	const inner = (
		<>
			{busy ? <Spinner /> : icon && <Icon icon={icon} size={size === "small" ? 16 : 20} />}
			{children}
		</>
	);
	if (href !== undefined) {
		return (
			<a class={name} href={href} {...(rest as object)}>
				{inner}
			</a>
		);
	}
	return (
		<button
			{...rest}
			class={name}
			type={type ?? "button"}
			aria-busy={busy || undefined}
			onClick={busy ? (e) => e.preventDefault() : onClick}
		>
			{inner}
		</button>
	);
}

export interface IconButtonProps extends Native {
	icon: IconNode;
	/** The spoken name, shown as a tooltip too. */
	label: string;
	size?: "small";
	/** A switch: spoken as pressed or not. */
	pressed?: boolean;
	/** Something is switched off (a closed microphone): a grey ground. */
	off?: boolean;
	href?: string;
	class?: string;
}

export function IconButton(p: IconButtonProps) {
	const { icon, label, size, pressed, off, href, class: cls, type, title, ...rest } = p;
	const name = ["icon-btn", size ? "icon-btn--small" : "", off ? "icon-btn--off" : "", cls ?? ""]
		.filter(Boolean)
		.join(" ");
	if (href !== undefined) {
		return (
			<a class={name} href={href} aria-label={label} title={title ?? label} {...(rest as object)}>
				<Icon icon={icon} />
			</a>
		);
	}
	return (
		<button
			{...rest}
			class={name}
			type={type ?? "button"}
			aria-label={label}
			aria-pressed={pressed}
			title={title ?? label}
		>
			<Icon icon={icon} />
		</button>
	);
}
