import { lazy } from "../lazy.tsx";
import type { Params } from "../router.ts";

const ReplayPage = lazy(() => import("../replay/ReplayPage.tsx").then((m) => m.ReplayPage));

export function ReplayRoute({ params }: { params: Params }) {
	return <ReplayPage sessionId={params.id!} />;
}
