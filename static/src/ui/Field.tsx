import { CircleAlert } from "lucide";
import type { ComponentChildren, JSX } from "preact";
import { useId } from "preact/hooks";
import { Icon } from "./Icon.tsx";

interface Around {
	label: string;
	hint?: ComponentChildren;
	/** A sentence that says what to do. */
	error?: string;
	optional?: boolean;
	/** The label is spoken, not shown. */
	hideLabel?: boolean;
	class?: string;
}

function Frame(p: Around & { id: string; children: ComponentChildren }) {
	return (
		<div class={["field", p.class ?? ""].filter(Boolean).join(" ")}>
			<label for={p.id} class={p.hideLabel ? "vh" : undefined}>
				{p.label}
				{p.optional && <span class="field__opt"> (optional)</span>}
			</label>
			{p.children}
			{p.hint && !p.error && (
				<p class="hint" id={`${p.id}-hint`}>
					{p.hint}
				</p>
			)}
			{p.error && (
				<p class="field__error" id={`${p.id}-error`}>
					<Icon icon={CircleAlert} size={16} />
					{p.error}
				</p>
			)}
		</div>
	);
}

function describe(id: string, p: Around) {
	return {
		id,
		"aria-invalid": p.error ? true : undefined,
		"aria-describedby": p.error ? `${id}-error` : p.hint ? `${id}-hint` : undefined,
	};
}

type Without<T> = Omit<T, "label" | "value" | "onInput" | "class" | "id" | "size" | "type">;

export interface FieldProps extends Around, Without<JSX.IntrinsicElements["input"]> {
	type?: string;
	value: string;
	onInput: (value: string) => void;
}

/** A line of text with its label. */
export function Field(p: FieldProps) {
	const id = useId();
	const { label, hint, error, optional, hideLabel, class: cls, value, onInput, type, ...rest } = p;
	return (
		<Frame id={id} label={label} hint={hint} error={error} optional={optional} hideLabel={hideLabel} class={cls}>
			<input
				{...({ ...rest, ...describe(id, p), type: type ?? "text" } as object)}
				class="input"
				value={value}
				onInput={(e) => onInput(e.currentTarget.value)}
			/>
		</Frame>
	);
}

export interface TextAreaProps extends Around, Without<JSX.IntrinsicElements["textarea"]> {
	value: string;
	onInput: (value: string) => void;
}

export function TextArea(p: TextAreaProps) {
	const id = useId();
	const { label, hint, error, optional, hideLabel, class: cls, value, onInput, ...rest } = p;
	return (
		<Frame id={id} label={label} hint={hint} error={error} optional={optional} hideLabel={hideLabel} class={cls}>
			<textarea
				rows={3}
				{...rest}
				{...describe(id, p)}
				class="textarea"
				value={value}
				onInput={(e) => onInput(e.currentTarget.value)}
			/>
		</Frame>
	);
}

export interface Option<T extends string = string> {
	value: T;
	label: string;
	disabled?: boolean;
}

export interface SelectProps<T extends string> extends Around {
	value: T;
	options: Option<T>[];
	onChange: (value: T) => void;
	disabled?: boolean;
}

export function Select<T extends string>(p: SelectProps<T>) {
	const id = useId();
	return (
		<Frame
			id={id}
			label={p.label}
			hint={p.hint}
			error={p.error}
			optional={p.optional}
			hideLabel={p.hideLabel}
			class={p.class}
		>
			<select
				{...describe(id, p)}
				class="select"
				value={p.value}
				disabled={p.disabled}
				onChange={(e) => p.onChange(e.currentTarget.value as T)}
			>
				{p.options.map((o) => (
					<option key={o.value} value={o.value} disabled={o.disabled} selected={o.value === p.value}>
						{o.label}
					</option>
				))}
			</select>
		</Frame>
	);
}

export interface SegmentedProps<T extends string> {
	legend: string;
	hideLegend?: boolean;
	value: T | null;
	options: Option<T>[];
	onChange: (value: T) => void;
	/** Fills the width there is. */
	wide?: boolean;
	class?: string;
}

/** A choice of a few, all in view. */
export function Segmented<T extends string>(p: SegmentedProps<T>) {
	const name = useId();
	return (
		<fieldset class={["seg-field", p.class ?? ""].filter(Boolean).join(" ")}>
			<legend class={p.hideLegend ? "vh" : undefined}>{p.legend}</legend>
			<div class={p.wide ? "seg seg--wide" : "seg"}>
				{p.options.map((o) => (
					<label key={o.value}>
						<input
							type="radio"
							name={name}
							value={o.value}
							checked={p.value === o.value}
							disabled={o.disabled}
							onChange={() => p.onChange(o.value)}
						/>
						{o.label}
					</label>
				))}
			</div>
		</fieldset>
	);
}

export interface CheckProps {
	label: string;
	hint?: string;
	checked: boolean;
	onChange: (checked: boolean) => void;
	disabled?: boolean;
}

export function Check(p: CheckProps) {
	return (
		<label class="check">
			<input
				type="checkbox"
				checked={p.checked}
				disabled={p.disabled}
				onChange={(e) => p.onChange(e.currentTarget.checked)}
			/>
			<span>{p.label}</span>
			{p.hint && <small>{p.hint}</small>}
		</label>
	);
}

export interface ChoiceProps {
	name: string;
	label: string;
	hint?: ComponentChildren;
	checked: boolean;
	onChoose: () => void;
}

/** One answer of a question that deserves a sentence for each answer. */
export function Choice(p: ChoiceProps) {
	const id = useId();
	return (
		<label class="choice">
			<input
				type="radio"
				name={p.name}
				checked={p.checked}
				onChange={p.onChoose}
				aria-label={p.label}
				aria-describedby={p.hint ? id : undefined}
			/>
			<strong>{p.label}</strong>
			{p.hint && <small id={id}>{p.hint}</small>}
		</label>
	);
}
