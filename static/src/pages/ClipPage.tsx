import "./clip.css";
import { Eye, LockKeyhole } from "lucide";
import { ApiError, api, type Clip } from "../api.ts";
import { useLoad, useTitle } from "../hooks.ts";
import type { Params } from "../router.ts";
import { Icon } from "../ui/Icon.tsx";
import { Shell } from "../ui/Shell.tsx";
import { Loading } from "../ui/Spinner.tsx";
import { uploads } from "../upload/uploads.ts";
import { ClipReady } from "./ClipReady.tsx";
import { LoadFailed, NotFoundPage } from "./NotFoundPage.tsx";
import { seenBy } from "./rows.tsx";
import { Refused, Transfer, UnderWay } from "./Transfer.tsx";

export function ClipPage({ params }: { params: Params }) {
	const id = params.id!;
	const first = useLoad(() => api.clip(id), id);
	const moving = first.data !== undefined && first.data.state !== "ready" && first.data.state !== "refused";
	// While something happens to the clip it is looked at again and again; once ready it is the reader's.
	const live = useLoad(
		() => (moving ? api.clip(id) : Promise.resolve(null)),
		`${id} ${moving}`,
		moving ? 1500 : undefined,
	);
	const clip = live.data ?? first.data;
	useTitle(clip?.title, "Clips");
	if (!clip) {
		if (first.cause instanceof ApiError && first.cause.status === 404) return <NotFoundPage />;
		if (first.error) return <LoadFailed sentence={first.error} again={first.reload} />;
		return <Loading />;
	}
	return (
		<Shell class="clip-page" back={{ href: "/clips", label: "Clips" }} end={<SeenBy clip={clip} />}>
			<Body clip={clip} />
		</Shell>
	);
}

/** Who can see it, always in sight. */
export function SeenBy({ clip }: { clip: Clip }) {
	const alone = clip.mine && !clip.practice && (clip.viewers?.length ?? 0) === 0;
	const all = clip.viewers?.join(", ");
	return (
		<span class="seen" title={all || undefined}>
			<Icon icon={alone ? LockKeyhole : Eye} size={16} />
			{alone ? "Only you can see this" : clip.mine ? `${seenBy(clip)} can see this` : seenBy(clip)}
		</span>
	);
}

function Body({ clip }: { clip: Clip }) {
	const upload = uploads.value.get(clip.id);
	switch (clip.state) {
		case "uploading":
			return <Transfer clip={clip} upload={upload} />;
		case "waiting":
		case "preparing":
			return <UnderWay clip={clip} />;
		case "refused":
			return <Refused clip={clip} />;
		case "ready":
			return <ClipReady key={clip.id} clip={clip} />;
	}
}
