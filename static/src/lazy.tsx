import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Button } from "./ui/Button.tsx";
import { EmptyState } from "./ui/Notice.tsx";
import { Loading } from "./ui/Spinner.tsx";

/** A page whose code is fetched when it is first shown. */
export function lazy<P extends object>(load: () => Promise<ComponentType<P>>): ComponentType<P> {
	let loaded: ComponentType<P> | undefined;
	return function Lazy(props: P) {
		const [Page, setPage] = useState<ComponentType<P> | undefined>(() => loaded);
		const [failed, setFailed] = useState(false);
		const fetchIt = () => {
			setFailed(false);
			load().then(
				(page) => {
					loaded = page;
					setPage(() => page);
				},
				() => setFailed(true),
			);
		};
		useEffect(() => {
			if (!Page) fetchIt();
		}, []);
		if (Page) return <Page {...props} />;
		if (!failed) return <Loading />;
		return (
			<main class="page page--narrow">
				<EmptyState
					title="This part of the page did not arrive"
					action={
						<Button variant="primary" onClick={fetchIt}>
							Try again
						</Button>
					}
				>
					Check your connection. If the server was renewed in the meantime, load the page again.
				</EmptyState>
			</main>
		);
	};
}
