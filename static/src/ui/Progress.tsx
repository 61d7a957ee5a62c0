interface ProgressProps {
	/** What is under way, spoken. */
	label: string;
	/** 0 to 1; undefined while it is not known. */
	value?: number;
}

export function Progress({ label, value }: ProgressProps) {
	const percent = value === undefined ? undefined : Math.round(Math.min(1, Math.max(0, value)) * 100);
	return (
		<div
			class={percent === undefined ? "progress progress--wait" : "progress"}
			role="progressbar"
			aria-label={label}
			aria-valuemin={0}
			aria-valuemax={100}
			aria-valuenow={percent}
		>
			<i style={percent === undefined ? undefined : { width: `${percent}%` }} />
		</div>
	);
}
