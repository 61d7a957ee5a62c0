import { LoadFailed } from "../pages/NotFoundPage.tsx";
import type { Params } from "../router.ts";

export function ClipPage(_: { params: Params }) {
	return <LoadFailed sentence="This page is being built." again={() => location.reload()} />;
}
