import { useState } from "preact/hooks";
import { api, type Link } from "../api.ts";
import { useAction } from "../hooks.ts";
import { Button } from "./Button.tsx";
import { CopyButton } from "./CopyButton.tsx";
import { Dialog } from "./Dialog.tsx";
import { Field } from "./Field.tsx";
import { Notice } from "./Notice.tsx";
import { fmtDay, midSentence } from "./time.ts";

/** A link that makes one colleague an account. */
export function InviteDialog({ open, onClose }: { open: boolean; onClose: () => void }) {
	const [link, setLink] = useState<Link>();
	const make = useAction(async () => setLink(await api.invite()));
	const close = () => {
		setLink(undefined);
		make.setError(undefined);
		onClose();
	};
	return (
		<Dialog open={open} title="Invite a colleague" onClose={close}>
			<p class="quiet">
				The link makes one account. Send it to your colleague yourself: by message, or on paper. For a single session,
				they need no account: use the links in its plan.
			</p>
			{make.error && (
				<Notice tone="danger" live>
					{make.error}
				</Notice>
			)}
			{link ? (
				<>
					<Field
						label="Their link"
						value={absolute(link.url)}
						onInput={() => undefined}
						readOnly
						onFocus={(e) => e.currentTarget.select()}
						hint={link.expires ? `It works once, until ${midSentence(fmtDay(link.expires))}.` : "It works once."}
					/>
					<div class="row">
						<CopyButton text={absolute(link.url)} variant="primary" size={undefined} />
						<Button variant="quiet" onClick={() => setLink(undefined)}>
							Invite somebody else
						</Button>
					</div>
				</>
			) : (
				<div class="row">
					<Button variant="primary" busy={make.busy} onClick={() => make.start()}>
						Make a link
					</Button>
				</div>
			)}
		</Dialog>
	);
}

/** A link as it is sent to people. */
export function absolute(url: string): string {
	return new URL(url, location.origin).href;
}
