import { Check, Copy } from "lucide";
import { useEffect, useState } from "preact/hooks";
import { Button, type ButtonProps } from "./Button.tsx";
import { announce, toast } from "./Toast.tsx";

interface CopyButtonProps extends Omit<ButtonProps, "icon" | "children" | "onClick"> {
	/** What is copied; a function may fetch it. */
	text: string | (() => Promise<string>);
	label?: string;
	/** Of which of several: spoken, not shown. */
	of?: string;
}

export function CopyButton({ text, label = "Copy link", of, size = "small", ...rest }: CopyButtonProps) {
	const [copied, setCopied] = useState(false);
	useEffect(() => {
		if (!copied) return;
		const timer = setTimeout(() => setCopied(false), 4000);
		return () => clearTimeout(timer);
	}, [copied]);
	const copy = async () => {
		try {
			await copyText(typeof text === "string" ? text : await text());
			setCopied(true);
			announce("Copied");
		} catch {
			toast("Your browser did not let us copy. Select the link and copy it by hand.");
		}
	};
	return (
		<Button {...rest} size={size} icon={copied ? Check : Copy} onClick={copy}>
			{copied ? "Copied" : label}
			{of && <span class="vh"> {of}</span>}
		</Button>
	);
}

/** The clipboard API is there in secure contexts only; a selection works everywhere. */
async function copyText(text: string): Promise<void> {
	if (navigator.clipboard && window.isSecureContext) return navigator.clipboard.writeText(text);
	const area = document.createElement("textarea");
	area.value = text;
	area.setAttribute("readonly", "");
	area.style.cssText = "position:fixed;opacity:0";
	document.body.append(area);
	area.select();
	const done = document.execCommand("copy");
	area.remove();
	if (!done) throw new Error("copy was refused");
}
