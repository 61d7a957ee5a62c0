import type { IconNode } from "lucide";
import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { Icon } from "./Icon.tsx";

export interface MenuItem {
	label: string;
	icon?: IconNode;
	href?: string;
	onSelect?: () => void;
	danger?: boolean;
	disabled?: boolean;
	/** Makes it one of a choice. */
	checked?: boolean;
}

export interface MenuProps {
	/** The button's spoken name. */
	label: string;
	/** What is in the button. */
	children: ComponentChildren;
	items: MenuItem[];
	head?: ComponentChildren;
	buttonClass?: string;
	/** Where the list opens; below and flush right without it. */
	up?: boolean;
	left?: boolean;
}

/** A button with a list of things to do. Arrow keys, Home, End and Esc do what they do in menus everywhere. */
export function Menu(p: MenuProps) {
	const [open, setOpen] = useState(false);
	const root = useRef<HTMLDivElement>(null);
	const button = useRef<HTMLButtonElement>(null);
	const id = useId();
	useEffect(() => {
		if (!open) return;
		items(root.current)[0]?.focus();
		const away = (e: PointerEvent) => {
			if (!root.current?.contains(e.target as Node)) setOpen(false);
		};
		document.addEventListener("pointerdown", away);
		return () => document.removeEventListener("pointerdown", away);
	}, [open]);

	const close = () => {
		setOpen(false);
		button.current?.focus();
	};
	const onKeyDown = (e: KeyboardEvent) => {
		if (!open) {
			if (e.key === "ArrowDown" || e.key === "ArrowUp") {
				e.preventDefault();
				setOpen(true);
			}
			return;
		}
		const all = items(root.current);
		const at = all.indexOf(document.activeElement as HTMLElement);
		const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[e.key];
		if (to !== undefined) {
			e.preventDefault();
			all.at(to === all.length ? 0 : to)?.focus();
		} else if (e.key === "Escape") {
			e.preventDefault();
			e.stopPropagation();
			close();
		} else if (e.key === "Tab") setOpen(false);
	};
	const list = ["menu__list", p.up ? "menu__list--up" : "", p.left ? "menu__list--left" : ""].filter(Boolean).join(" ");
	return (
		// biome-ignore lint/a11y/noStaticElementInteractions: keys come from the button and the items inside
		<div class="menu" ref={root} onKeyDown={onKeyDown}>
			<button
				ref={button}
				type="button"
				class={p.buttonClass ?? "btn"}
				aria-label={p.label}
				aria-haspopup="menu"
				aria-expanded={open}
				aria-controls={open ? id : undefined}
				onClick={() => setOpen(!open)}
			>
				{p.children}
			</button>
			{open && (
				<div class={list}>
					{p.head && <div class="menu__head">{p.head}</div>}
					<div role="menu" id={id} aria-label={p.label}>
						{p.items.map((item) => (
							<Item key={item.label} item={item} done={close} />
						))}
					</div>
				</div>
			)}
		</div>
	);
}

function Item({ item, done }: { item: MenuItem; done: () => void }) {
	const cls = item.danger ? "menu__item menu__item--danger" : "menu__item";
	const inner = (
		<>
			{item.icon && <Icon icon={item.icon} />}
			{item.label}
		</>
	);
	if (item.href) {
		return (
			<a class={cls} role="menuitem" tabIndex={-1} href={item.href} onClick={done}>
				{inner}
			</a>
		);
	}
	const press = () => {
		if (item.disabled) return;
		done();
		item.onSelect?.();
	};
	const common = { type: "button" as const, class: cls, tabIndex: -1, onClick: press };
	if (item.checked !== undefined) {
		return (
			<button {...common} role="menuitemradio" aria-checked={item.checked} aria-disabled={item.disabled || undefined}>
				{inner}
			</button>
		);
	}
	return (
		<button {...common} role="menuitem" aria-disabled={item.disabled || undefined}>
			{inner}
		</button>
	);
}

function items(root: HTMLElement | null): HTMLElement[] {
	return [...(root?.querySelectorAll<HTMLElement>(".menu__item") ?? [])];
}
