import { Download } from "lucide";
import { useState } from "preact/hooks";
import { api, type Film, urls } from "../api.ts";
import { useAction, useLoad } from "../hooks.ts";
import { Button } from "../ui/Button.tsx";
import { Dialog } from "../ui/Dialog.tsx";
import { Check } from "../ui/Field.tsx";
import { Notice } from "../ui/Notice.tsx";
import { Progress } from "../ui/Progress.tsx";
import { fmtBytes, fmtMs } from "../ui/time.ts";
import { useReplay } from "./context.ts";
import type { Track } from "./media.ts";

/** How often a film that is being made is asked after, ms. */
const EVERY = 1000;

interface Props {
	open: boolean;
	onClose: () => void;
}

/** The conversation as one video file, and what was recorded of each person as a file of its own. */
export function FilmDialog({ open, onClose }: Props) {
	return (
		<Dialog open={open} title="Video and sound" onClose={onClose} wide>
			<TheFilm />
			<Tracks />
		</Dialog>
	);
}

function TheFilm() {
	const { id } = useReplay();
	const [busy, setBusy] = useState(false);
	const film = useLoad(
		async () => {
			const f = await api.film(id);
			setBusy(f.state === "waiting" || f.state === "rendering");
			return f;
		},
		id,
		busy ? EVERY : undefined,
	);
	const show = (f: Film) => {
		film.set(f);
		setBusy(f.state === "waiting" || f.state === "rendering");
	};
	return (
		<section class="film" aria-label="One video file">
			<p>
				One video file (MP4) of what was recorded: the clip as you watched it, your faces beside it, and everybody’s
				sound. What was off the record is not in it.
			</p>
			{film.error && (
				<Notice tone="danger" live>
					{film.error}
				</Notice>
			)}
			{film.data && <FilmState film={film.data} onChange={show} />}
		</section>
	);
}

interface StateProps {
	film: Film;
	onChange: (f: Film) => void;
}

function FilmState({ film, onChange }: StateProps) {
	const { id } = useReplay();
	const drop = useAction(async () => {
		await api.dropFilm(id);
		onChange(await api.film(id));
	});
	const failed = drop.error && (
		<Notice tone="danger" live>
			{drop.error}
		</Notice>
	);
	switch (film.state) {
		case "waiting":
		case "rendering":
			return (
				<>
					<p role="status">{filmSentence(film)}</p>
					<Progress label="The video is being made" value={film.state === "rendering" ? film.progress : undefined} />
					<Button variant="outline" busy={drop.busy} onClick={() => drop.start()}>
						Cancel
					</Button>
					{failed}
				</>
			);
		case "ready":
			return (
				<>
					<p role="status">{filmSentence(film)}</p>
					<div class="film__actions">
						<Button variant="primary" icon={Download} href={urls.film(id)}>
							Download the video
						</Button>
						<Button variant="outline" busy={drop.busy} onClick={() => drop.start()}>
							Remove it
						</Button>
					</div>
					{failed}
				</>
			);
	}
	return <Ask film={film} onChange={onChange} />;
}

function Ask({ film, onChange }: StateProps) {
	const { id } = useReplay();
	const [cards, setCards] = useState(film.state === "none" || film.cards);
	const [captions, setCaptions] = useState(film.captions);
	const ask = useAction(async () => onChange(await api.askFilm(id, { cards, captions })));
	return (
		<>
			{film.state === "failed" && (
				<Notice tone="danger" live>
					{film.problem}
				</Notice>
			)}
			<Check label="Show what was asked at each pause" checked={cards} onChange={setCards} />
			<Check
				label="Notes as subtitles"
				hint="Those that you may export. A player turns them on and off."
				checked={captions}
				onChange={setCaptions}
			/>
			<Button variant="primary" busy={ask.busy} onClick={() => ask.start()}>
				Make the video
			</Button>
			{ask.error && (
				<Notice tone="danger" live>
					{ask.error}
				</Notice>
			)}
		</>
	);
}

/** How far a video is. */
export function filmSentence(f: Film): string {
	if (f.state === "waiting") return "The video is in line. You can close this, and the page: it goes on by itself.";
	if (f.state === "ready")
		return `The video is ready: ${fmtBytes(f.bytes)}. If somebody takes back their consent, it is made anew without them.`;
	return `The video is being made: ${Math.round(f.progress * 100)} %. You can close this, and the page: it goes on by itself.`;
}

function Tracks() {
	const { id, tracks, nameOf, you } = useReplay();
	if (tracks.length === 0) return null;
	return (
		<section class="film" aria-label="A file for each person">
			<h3 class="label">A file for each person</h3>
			<ul class="film__tracks">
				{tracks.map((t) => (
					<li key={t.key}>
						<a href={urls.track(id, t.member, t.source)} download>
							{t.member === you ? "You" : nameOf(t.member)}, {sourceWord[t.source]}
						</a>{" "}
						<span class="faint num">begins at {fmtMs(t.segments[0]!.start)}</span>
					</li>
				))}
			</ul>
		</section>
	);
}

const sourceWord: Record<Track["source"], string> = {
	audio: "sound",
	camera: "picture",
	screen: "shared screen",
	"screen-audio": "sound of the shared screen",
};
