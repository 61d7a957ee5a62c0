/** A list that is loaded a page at a time. */
import { useState } from "preact/hooks";
import type { Page } from "../api.ts";
import { useAction, useLoad } from "../hooks.ts";
import { Button } from "../ui/Button.tsx";
import { Notice } from "../ui/Notice.tsx";

export interface Pages<T> {
	/** All that was loaded; undefined before the first page. */
	entries: T[] | undefined;
	/** A sentence, when the first page failed. */
	error: string | undefined;
	/** From the first page, again. */
	reload: () => void;
	/** There are more, which next loads. */
	more: boolean;
	next: { start: () => void; busy: boolean; error: string | undefined };
}

export function usePages<T>(load: (after?: string) => Promise<Page<T>>, key: string): Pages<T> {
	const { data: first, error, reload } = useLoad(() => load(), key);
	// What belongs to a first page that was loaded again is forgotten.
	const [rest, setRest] = useState<{ first: Page<T>; loaded: Page<T>[] }>();
	const loaded = first && rest?.first === first ? rest.loaded : [];
	const last = loaded.at(-1) ?? first;
	const next = useAction(async () => {
		if (!first || !last?.next) return;
		setRest({ first, loaded: [...loaded, await load(last.next)] });
	});
	return {
		entries: first && [first, ...loaded].flatMap((p) => p.entries),
		error,
		reload,
		more: !!last?.next,
		next,
	};
}

/** The way to the rest of a list, below it. */
export function More({ of }: { of: Pages<unknown> }) {
	if (!of.more) return null;
	return (
		<div class="kept__more">
			<Button variant="outline" busy={of.next.busy} onClick={() => of.next.start()}>
				Show more
			</Button>
			{of.next.error && (
				<Notice tone="danger" live>
					{of.next.error}
				</Notice>
			)}
		</div>
	);
}
