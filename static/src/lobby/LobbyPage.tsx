import "./lobby.css";
import { Headphones } from "lucide";
import { useEffect, useId, useMemo, useRef, useState } from "preact/hooks";
import { account } from "../account.ts";
import { api, type Door, type Person } from "../api.ts";
import type { Entry } from "../entry.ts";
import { useAction, useTitle } from "../hooks.ts";
import { keptFor } from "../keeping/words.ts";
import { loadEarly } from "../sync/early.ts";
import { Avatar } from "../ui/Avatar.tsx";
import { Button } from "../ui/Button.tsx";
import { Choice, Field } from "../ui/Field.tsx";
import { Notice } from "../ui/Notice.tsx";
import { InsecureNotice } from "../ui/Shell.tsx";
import { announce, toast } from "../ui/Toast.tsx";
import { AccountMenu, Brand } from "../ui/Topbar.tsx";
import { count, fmtDayTime, fmtFromNow } from "../ui/time.ts";
import { kindWord, roleSentence, roleWord } from "../words.ts";
import { chime } from "./chime.ts";
import { Me, SpeakerOnly } from "./Me.tsx";
import { Preview } from "./preview.ts";

interface LobbyProps {
	id: string;
	door: Door;
	token: string;
	onEnter: (entry: Entry) => void;
}

export function LobbyPage({ id, door, token, onEnter }: LobbyProps) {
	const { session } = door;
	const role = door.member?.role ?? door.role ?? "peer";
	const observer = role === "observer";
	const preview = useMemo(() => new Preview(), []);
	const handed = useRef(false);
	useEffect(() => {
		void import("../call/CallPage.tsx").catch(() => undefined); // on its way while people look at themselves
		return () => {
			if (!handed.current) preview.close();
		};
	}, [preview]);
	useEffect(() => {
		if (!observer) void preview.open();
	}, [preview, observer]);
	useTitle("Before you join", session.title || session.focus);

	const enter = async (name: string, consent: boolean | null) => {
		const now = door.member ? door : await api.enter(id, token, name);
		if (now.session.clip) loadEarly(now.session.clip);
		const { choices } = preview;
		// A device that has not answered yet is still wanted: the call asks for it again.
		const wanted = (which: "mic" | "camera", on: boolean) => !observer && on && preview.problem[which].value === null;
		const mic = wanted("mic", choices.value.micOn);
		const camera = wanted("camera", choices.value.cameraOn);
		handed.current = true;
		const stream = preview.give();
		const { mic: m, camera: c, speaker } = choices.value;
		onEnter({ consent, mic, camera, devices: { mic: m, camera: c, speaker }, name: now.member?.name ?? name, stream });
	};

	return (
		<div class="lobby-page">
			<header class="topbar">
				<Brand />
				<div class="topbar__end">
					<TestSound preview={preview} />
					{account.value && <AccountMenu />}
				</div>
			</header>
			<div>{!observer && <InsecureNotice />}</div>
			<main class={observer ? "lobby lobby--observer" : "lobby"} id="main">
				{!observer && <Me preview={preview} who={door.member} />}
				<section class="door" aria-labelledby="door-h">
					<Header door={door} />
					<Inside door={door} role={role} />
					<EnterForm door={door} onEnter={enter} />
					{observer && <SpeakerOnly preview={preview} />}
				</section>
			</main>
		</div>
	);
}

function TestSound({ preview }: { preview: Preview }) {
	const play = useAction(async () => {
		await chime(preview.choices.value.speaker).catch(() => {
			toast("No sound could be played. Choose another device under Sound, or check your computer’s volume.");
		});
	});
	return (
		<Button variant="quiet" size="small" icon={Headphones} busy={play.busy} onClick={() => play.start()}>
			Test the sound
		</Button>
	);
}

function Header({ door: { session } }: { door: Door }) {
	const title = session.focus || session.title || kindWord[session.kind];
	const about = [session.focus ? session.title : "", session.clipTitle ?? ""].filter(
		(s, i, all) => s && s !== title && all.indexOf(s) === i,
	);
	if (session.minutes > 0) about.push(`${session.minutes} minutes`);
	const first = about.join(", ");
	return (
		<header>
			{session.scheduled && (
				<p class="door__when">
					<time dateTime={session.scheduled}>{fmtDayTime(session.scheduled)}</time> · {fmtFromNow(session.scheduled)}
				</p>
			)}
			<h1 id="door-h">{title}</h1>
			<p class="lead">
				{first && `${first}. `}
				{sentence(session.purpose)}
			</p>
		</header>
	);
}

/** A purpose as people type it, as a sentence. */
function sentence(text: string): string {
	const t = text.trim();
	if (!t) return "";
	const capital = t[0]!.toLocaleUpperCase() + t.slice(1);
	return /[.!?…]$/.test(capital) ? capital : `${capital}.`;
}

/** Observers are spoken of in every case: silence does not reassure. */
export function observersSentence(door: Pick<Door, "invited" | "observers">): string {
	const n = door.invited.observer ?? 0;
	if (n > 0)
		return `${count(n, "observer")} ${n === 1 ? "is" : "are"} invited: they see and hear you, and do not speak.`;
	if (door.observers) return "Observers may come: they would see and hear you, and not speak.";
	return "No observers are invited.";
}

function Inside({ door, role }: { door: Door; role: Person["role"] }) {
	const spoken = useRef<number | undefined>(undefined);
	const n = door.inside.length;
	useEffect(() => {
		if (spoken.current !== undefined && spoken.current !== n) announce(`${count(n, "person", "people")} inside`);
		spoken.current = n;
	}, [n]);
	return (
		<section class="inside" aria-labelledby="in-h">
			<h2 id="in-h">Inside now</h2>
			{n === 0 && <p class="quiet">Nobody yet. You are the first.</p>}
			{n > 0 && (
				<ul>
					{door.inside.map((p, i) => (
						<li key={`${p.name}-${i}`}>
							<Avatar name={p.name} />
							<span>{p.name}</span>
							<span>{roleWord[p.role]}</span>
						</li>
					))}
				</ul>
			)}
			<p class="hint">
				{roleSentence[role]} {role !== "observer" && observersSentence(door)}
			</p>
		</section>
	);
}

interface EnterFormProps {
	door: Door;
	onEnter: (name: string, consent: boolean | null) => Promise<void>;
}

const NAME = "pausepoint.name";

function EnterForm({ door, onEnter }: EnterFormProps) {
	const [name, setName] = useState(() => localStorage.getItem(NAME) ?? "");
	const [consent, setConsent] = useState<boolean | null>(null);
	const form = useRef<HTMLFormElement>(null);
	const missingId = useId();
	const known = door.member;
	const needsName = !known && !name.trim();
	const needsConsent = door.session.recorded && consent === null;
	const enter = useAction(async () => {
		if (!known) localStorage.setItem(NAME, name.trim());
		await onEnter(known?.name ?? name.trim(), door.session.recorded ? consent : null);
	});
	const missing = missingSentence(needsName, needsConsent);
	const submit = (e: Event) => {
		e.preventDefault();
		if (!missing) {
			enter.start();
			return;
		}
		announce(missing, "now");
		const where = needsConsent
			? document.querySelector<HTMLElement>(".consent input")
			: form.current?.querySelector("input");
		where?.focus();
		where?.closest(".consent")?.scrollIntoView({ block: "nearest" });
	};
	return (
		<>
			{door.session.recorded && (
				<fieldset class="consent">
					<legend>This session will be recorded, if all agree</legend>
					<Choice
						name="consent"
						label="I agree"
						hint={`Those who were here can replay it; it is kept ${keptFor(door.session.keep)}. You can go off the record, or take this back, at any time.`}
						checked={consent === true}
						onChoose={() => setConsent(true)}
					/>
					<Choice
						name="consent"
						label="Not this time"
						hint="You join all the same, and nobody is recorded."
						checked={consent === false}
						onChoose={() => setConsent(false)}
					/>
				</fieldset>
			)}
			<form class="enter" aria-label="Join" ref={form} onSubmit={submit}>
				{known ? (
					<p class="enter__who">
						<Avatar name={known.name} size={40} />
						<span>
							<strong>{known.name}</strong>
							<span class="quiet">{roleWord[known.role]}</span>
						</span>
					</p>
				) : (
					<Field
						label="Your name"
						value={name}
						onInput={setName}
						autoComplete="name"
						placeholder="Your name"
						maxLength={80}
					/>
				)}
				<Button
					variant="primary"
					size="large"
					type="submit"
					busy={enter.busy}
					aria-disabled={missing ? true : undefined}
					aria-describedby={missing ? missingId : undefined}
				>
					Join
				</Button>
				{missing && (
					<p class="hint enter__missing" id={missingId}>
						{missing}
					</p>
				)}
				{enter.error && (
					<div class="enter__missing">
						<Notice tone="danger" live>
							{enter.error}
						</Notice>
					</div>
				)}
			</form>
		</>
	);
}

/** What is asked for before Join; empty when nothing is. */
export function missingSentence(needsName: boolean, needsConsent: boolean): string {
	if (needsName && needsConsent) return "Write your name and answer about the recording, then join.";
	if (needsConsent) return "Answer about the recording, then join. Both answers let you in.";
	if (needsName) return "Write your name, then join.";
	return "";
}
