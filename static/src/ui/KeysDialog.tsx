import type { ComponentChildren } from "preact";
import { Dialog } from "./Dialog.tsx";

/** Keys, and what they do. */
export type KeyList = readonly (readonly [keys: readonly string[], what: string])[];

interface KeysDialogProps {
	open: boolean;
	onClose: () => void;
	list: KeyList;
	/** What else is to be known about them. */
	children?: ComponentChildren;
}

/** The keys of a page, as `?` shows them. */
export function KeysDialog({ open, onClose, list, children }: KeysDialogProps) {
	return (
		<Dialog open={open} title="Keys" onClose={onClose}>
			{children && <p class="quiet">{children}</p>}
			<dl class="keys">
				{list.map(([keys, what]) => (
					<div key={what}>
						<dt>
							{keys.map((k) => (
								<kbd class="kbd" key={k}>
									{k}
								</kbd>
							))}
						</dt>
						<dd>{what}</dd>
					</div>
				))}
			</dl>
		</Dialog>
	);
}
