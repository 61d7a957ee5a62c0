import type { ReplayPageProps } from "../entry.ts";

export function ReplayPage(_: ReplayPageProps) {
	return <main id="main" />;
}
