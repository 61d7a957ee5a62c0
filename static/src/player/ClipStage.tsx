import "./player.css";
import { Pause, Play, StepBack, StepForward } from "lucide";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { type Clip, urls } from "../api.ts";
import { Button, IconButton } from "../ui/Button.tsx";
import { fmtClip } from "../ui/time.ts";
import type { Player } from "./player.ts";

interface StageProps {
	player: Player;
	clip: Clip;
	/** Buttons at the end of the bar. */
	end?: ComponentChildren;
}

/** A clip with its own transport: picture, play, one frame back and on, the time. */
export function ClipStage({ player, clip, end }: StageProps) {
	const video = useRef<HTMLVideoElement>(null);
	useEffect(() => {
		player.attach(video.current);
		return () => player.attach(null);
	}, [player]);
	const playing = player.playing.value;
	return (
		<section class="stagebox" aria-label="Clip">
			<figure class="picture">
				<video
					ref={video}
					src={urls.video(clip.id)}
					poster={urls.poster(clip.id)}
					preload="auto"
					playsInline
					aria-label={clip.title}
					onClick={() => player.toggle()}
				/>
				{player.failed.value && (
					<figcaption class="stagebox__failed">
						<p>The clip did not load. Check your connection.</p>
						<Button variant="outline" size="small" onClick={() => location.reload()}>
							Load the page again
						</Button>
					</figcaption>
				)}
			</figure>
			{/* biome-ignore lint/a11y/useSemanticElements: a group of buttons is no fieldset */}
			<div class="stagebar" role="group" aria-label="Playback">
				<IconButton icon={playing ? Pause : Play} label={playing ? "Stop" : "Play"} onClick={() => player.toggle()} />
				<IconButton icon={StepBack} label="One frame back" onClick={() => player.step(-1)} />
				<IconButton icon={StepForward} label="One frame on" onClick={() => player.step(1)} />
				<p class="clock num">
					<b>{fmtClip(player.position.value, true)}</b> <span class="faint">/ {fmtClip(clip.duration)}</span>
				</p>
				{end && <div class="end">{end}</div>}
			</div>
		</section>
	);
}
