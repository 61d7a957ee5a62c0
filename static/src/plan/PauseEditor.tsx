import { ChevronLeft, ChevronRight, Trash2 } from "lucide";
import { useEffect, useRef } from "preact/hooks";
import type { Clip, PlannedPause } from "../api.ts";
import type { Player } from "../player/player.ts";
import { frameMiddle } from "../sync/line.ts";
import { Button, IconButton } from "../ui/Button.tsx";
import { fmtClip } from "../ui/time.ts";
import { PauseFields } from "./PauseFields.tsx";

interface PauseEditorProps {
	pause: PlannedPause;
	/** "2 of 4" */
	place: string;
	clip: Clip;
	player: Player;
	/** Was just made: its prompt is selected, ready to be overwritten. */
	fresh: boolean;
	disabled: boolean;
	change: (c: Partial<PlannedPause>) => void;
	remove: () => void;
	foot: preact.ComponentChildren;
}

export function PauseEditor({ pause, place, clip, player, fresh, disabled, change, remove, foot }: PauseEditorProps) {
	const root = useRef<HTMLElement>(null);
	useEffect(() => {
		if (fresh) root.current?.querySelector("textarea")?.select();
	}, [fresh, pause.id]);
	const move = (by: number) => {
		const frame = Math.max(0, Math.min(clip.frames - 1, pause.frame + by));
		change({ frame });
		player.stop();
		player.show(frame);
	};
	const here = player.frame.value === pause.frame && !player.playing.value;
	return (
		<section class="card editor editor--pause" aria-labelledby="ed-h" ref={root}>
			<div class="editor__head">
				<i class="diamond" />
				<h2 id="ed-h">Pause {place}</h2>
				{!disabled && <IconButton icon={Trash2} label="Remove this pause" onClick={remove} />}
			</div>
			<fieldset class="stack stack--3" disabled={disabled}>
				{/* biome-ignore lint/a11y/useSemanticElements: a group of buttons is no fieldset */}
				<div class="at" role="group" aria-label="Frame of the pause">
					<IconButton icon={ChevronLeft} label="One frame earlier" onClick={() => move(-1)} />
					<b class="num">{fmtClip(frameMiddle(pause.frame, clip), true)}</b>
					<IconButton icon={ChevronRight} label="One frame later" onClick={() => move(1)} />
					{here ? (
						<span class="hint">This frame</span>
					) : (
						<Button size="small" variant="quiet" onClick={() => move(player.frame.value - pause.frame)}>
							Move it here
						</Button>
					)}
				</div>
				<PauseFields pause={pause} change={change} />
			</fieldset>
			<p class="foot">{foot}</p>
		</section>
	);
}
