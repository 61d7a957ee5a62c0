import type { CallPageProps } from "../entry.ts";

export function CallPage(_: CallPageProps) {
	return <main id="main" />;
}
