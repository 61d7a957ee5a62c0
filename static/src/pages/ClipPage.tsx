import "./clip.css";
import { Eye, LockKeyhole } from "lucide";
import { useEffect, useState } from "preact/hooks";
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
	// While something happens to the clip it is looked at again and again; once ready it is the reader's.
	const [settled, setSettled] = useState(false);
	const loaded = useLoad(() => api.clip(id), id, settled ? undefined : 1500);
	const clip = loaded.data;
	const state = clip?.state;
	useEffect(() => setSettled(state === "ready" || state === "refused"), [state]);
	useTitle(clip?.title, "Clips");
	if (!clip) {
		if (loaded.cause instanceof ApiError && loaded.cause.status === 404) return <NotFoundPage />;
		if (loaded.error) return <LoadFailed sentence={loaded.error} again={loaded.reload} />;
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
		case "filming":
		case "waiting":
		case "preparing":
			return <UnderWay clip={clip} />;
		case "refused":
			return <Refused clip={clip} />;
		case "ready":
			return <ClipReady key={clip.id} clip={clip} />;
	}
}
