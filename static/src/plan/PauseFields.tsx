import { Segmented, TextArea } from "../ui/Field.tsx";
import { lengthOptions } from "./agenda.ts";

/** The longest prompt, as the server counts: in Unicode characters. */
const MAX_PROMPT = 500;
/** ms that are offered to think alone, and to talk; 0 is none, and open. */
const THINK = [0, 30_000, 60_000, 120_000];
const TALK = [240_000, 360_000, 600_000, 0];

interface Asked {
	prompt: string;
	/** ms to think alone */
	think: number;
	/** ms to talk; one that is called at once has no such length */
	talk?: number;
}

interface PauseFieldsProps {
	pause: Asked;
	change: (c: Partial<Asked>) => void;
	rows?: number;
	placeholder?: string;
}

/** What a pause asks and how long it gives for it: the same wherever a pause is made or changed. */
export function PauseFields({ pause, change, rows = 3, placeholder }: PauseFieldsProps) {
	return (
		<>
			<TextArea
				label="Ask"
				value={pause.prompt}
				placeholder={placeholder}
				onInput={(prompt) => change({ prompt })}
				rows={rows}
				maxLength={MAX_PROMPT}
			/>
			<Segmented
				legend="Think alone first"
				wide
				value={String(pause.think)}
				options={lengthOptions(THINK, pause.think, "No")}
				onChange={(v) => change({ think: Number(v) })}
			/>
			{pause.talk !== undefined && (
				<Segmented
					legend="Then talk"
					wide
					value={String(pause.talk)}
					options={lengthOptions(TALK, pause.talk, "Open")}
					onChange={(v) => change({ talk: Number(v) })}
				/>
			)}
		</>
	);
}
