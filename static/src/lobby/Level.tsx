import { Mic, MicOff } from "lucide";
import { useEffect, useRef, useState } from "preact/hooks";
import { Icon } from "../ui/Icon.tsx";

const BARS = [7, 12, 18, 14, 9, 6, 5, 4];

interface LevelProps {
	track: MediaStreamTrack | null;
	on: boolean;
	/** A press or a key in the page: browsers may start sound only after one. */
	woken: number;
}

/** What the microphone hears, as bars and as words. */
export function Level({ track, on, woken }: LevelProps) {
	const bars = useRef<HTMLSpanElement>(null);
	const context = useRef<AudioContext | undefined>(undefined);
	const [heard, setHeard] = useState(false);
	useEffect(() => {
		if (!track || !on) return;
		setHeard(false);
		const audio = new AudioContext();
		context.current = audio;
		const source = audio.createMediaStreamSource(new MediaStream([track]));
		const analyser = audio.createAnalyser();
		analyser.fftSize = 1024;
		source.connect(analyser);
		const samples = new Float32Array(analyser.fftSize);
		let shown = 0;
		let frame = 0;
		const draw = () => {
			analyser.getFloatTimeDomainData(samples);
			const level = levelOf(samples);
			shown = Math.max(level, shown * 0.9);
			if (level > 0.25) setHeard(true);
			const lit = Math.round(shown * BARS.length);
			for (const [i, bar] of [...(bars.current?.children ?? [])].entries()) bar.classList.toggle("off", i >= lit);
			frame = requestAnimationFrame(draw);
		};
		draw();
		return () => {
			cancelAnimationFrame(frame);
			context.current = undefined;
			void audio.close();
		};
	}, [track, on]);
	useEffect(() => {
		if (woken > 0) void context.current?.resume();
	}, [woken]);
	if (!track) return null;
	const word = !on ? "Your microphone is off" : heard ? "We hear you" : "Say something";
	return (
		<div class="me__level">
			<Icon icon={on ? Mic : MicOff} size={16} />
			{on && (
				<span class="me__bars" ref={bars} aria-hidden="true">
					{BARS.map((height) => (
						<i key={height} class="off" style={{ height: `${height}px` }} />
					))}
				</span>
			)}
			<span class="t12" role="status">
				{word}
			</span>
		</div>
	);
}

/** Loudness of samples in [-1, 1] as 0 (silence, −60 dBFS) to 1 (−12 dBFS and more). */
export function levelOf(samples: ArrayLike<number>): number {
	let sum = 0;
	for (let i = 0; i < samples.length; i++) sum += samples[i]! * samples[i]!;
	const rms = Math.sqrt(sum / Math.max(1, samples.length));
	if (rms === 0) return 0;
	return Math.min(1, Math.max(0, (20 * Math.log10(rms) + 60) / 48));
}
