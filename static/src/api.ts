/** The HTTP API, typed. Every failure is an ApiError whose message is a sentence for people. */

export type Role = "focal" | "coach" | "facilitator" | "peer" | "observer";
export type Kind = "kickoff" | "conversation" | "inquiry" | "live-lesson" | "reflection";
export type NoteKind = "observation" | "wondering" | "learning" | "question" | "appreciation" | "next";

export interface Account {
	id: string;
	name: string;
	email: string;
	admin: boolean;
}
export interface Me {
	account: Account | null;
	/** No account exists yet. */
	setup: boolean;
}
export interface Link {
	url: string;
	expires?: string;
}
export interface NewAccount {
	token: string;
	name: string;
	email: string;
	password: string;
}
export type ClipState = "uploading" | "filming" | "waiting" | "preparing" | "ready" | "refused";
export interface Clip {
	id: string;
	mine: boolean;
	ownerName: string;
	practice: boolean;
	title: string;
	focus: string;
	context: string;
	purpose: string;
	/** Chosen range [from, to), µs. */
	from: number;
	to: number;
	state: ClipState;
	/** Of the preparation, 0 to 1. */
	progress: number;
	uploaded?: number;
	size?: number;
	uploadId?: string;
	refusal?: string;
	duration: number;
	frames: number;
	fpsNum: number;
	fpsDen: number;
	width: number;
	height: number;
	hasAudio: boolean;
	pupilConsent: boolean;
	created: string;
	viewers?: string[];
	/** Whose recording it is, for its owner. */
	session?: string;
}
export type ClipChange = Partial<Pick<Clip, "title" | "focus" | "context" | "from" | "to" | "pupilConsent">>;
export interface PlannedPause {
	id: string;
	frame: number;
	prompt: string;
	/** ms; 0 is none. */
	think: number;
	/** ms; 0 is open. */
	talk: number;
	by?: string;
}
export interface PlannedNote {
	id: string;
	type: NoteKind;
	text: string;
	visibility?: "shared" | "coaches" | "private";
	/** µs */
	from: number;
	to: number;
}
export interface PlanChange {
	kind?: Kind;
	title?: string;
	focus?: string;
	purpose?: string;
	clip?: string | null;
	scheduled?: string | null;
	minutes?: number;
	recorded?: boolean;
	/** Days for which it is kept after its last moment; 0 is for ever. */
	keep?: number;
	pauses?: PlannedPause[];
	notes?: PlannedNote[];
}
export interface NewSession extends PlanChange {
	practice?: boolean;
	role?: Role;
}
export interface Plan extends Required<PlanChange> {
	id: string;
	mine: boolean;
	role?: Role;
	begun: boolean;
	ended?: boolean;
	clipCard: Clip | null;
}
export interface Person {
	name: string;
	role: Role;
}
export interface SessionCard {
	id: string;
	kind: Kind;
	title: string;
	focus: string;
	clip: string | null;
	scheduled: string | null;
	minutes: number;
	state: "planned" | "live" | "ended";
	opened: string | null;
	/** ms */
	duration: number;
	mine: boolean;
	role: Role;
	people: Person[];
	inside: number;
	notes: number;
	pauses: number;
	/** ms */
	recordedFor: number;
}
export interface DoorSession {
	id: string;
	kind: Kind;
	title: string;
	focus: string;
	purpose: string;
	recorded: boolean;
	/** Days for which it is kept after its last moment; 0 is for ever. */
	keep: number;
	scheduled: string | null;
	minutes: number;
	state: SessionCard["state"];
	clipTitle?: string;
	/** Its id, for members. */
	clip?: string;
}
export interface DoorMember extends Person {
	id: string;
	guest: boolean;
}
export interface Door {
	session: DoorSession;
	/** Who you are in it; null before a name was given. */
	member: DoorMember | null;
	/** What is kept of it is for you: you were inside, or planned it. */
	attended: boolean;
	role?: Role;
	inside: Person[];
	invited: Partial<Record<Role, number>>;
	observers?: boolean;
}
export interface RoleLink {
	role: Role;
	url: string;
}
export interface ReplaySegment {
	id: string;
	member: string;
	source: "audio" | "camera" | "screen" | "screen-audio";
	mime: string;
	/** Session time in ms. */
	start: number;
	end: number;
	bytes: number;
}
/** view is room/event's View, events are its Events: see event.gen.ts. */
export interface Replay {
	you: string;
	may?: string[];
	duration: number;
	view: unknown;
	events: unknown[];
	segments: ReplaySegment[];
}

/** One's own MP4 of a session. */
export interface Film {
	state: "none" | "waiting" | "rendering" | "ready" | "failed";
	/** 0 to 1 */
	progress: number;
	/** A sentence, when it failed. */
	problem: string;
	bytes: number;
	cards: boolean;
	captions: boolean;
}

/** The clip that a recording may become. */
export interface Reuse {
	state: "none" | "asked" | "declined" | "taken-back" | "granted" | "filming" | "preparing" | "ready" | "failed";
	/** Of the question, and of the clip. */
	clip: string;
	/** Name of who asks. */
	by: string;
	/** The reader asks. */
	mine: boolean;
	/** The reader may ask. */
	may: boolean;
	/** The reader is in the recording. */
	asked: boolean;
	agreed: boolean;
	/** Names of who has not answered. */
	waiting: string[];
	/** 0 to 1 */
	progress: number;
	/** A sentence, when it failed. */
	problem: string;
}

export class ApiError extends Error {
	constructor(
		/** HTTP status; 0 when no answer came. */
		readonly status: number,
		/** The server's code, or "offline", "unreadable". */
		readonly code: string,
		/** A sentence that says what to do. */
		message: string,
	) {
		super(message);
		this.name = "ApiError";
	}
}

/** How a conversation went; times in ms of session time. */
export interface Measures {
	recorded: number;
	people: { member: string; shown: boolean; talk: number; turns: number }[];
	pauses: { hold: string; began: number; spoken: boolean; member: string; after: number }[];
}

/** What somebody agreed to in a session, and how many files there are of them. */
export interface Withdrawal {
	consent: "" | "agreed" | "declined" | "withdrawn";
	/** From the session: its replay is not for them any more. */
	removed: boolean;
	files: number;
	/** By a legal hold: what is taken back is shown to nobody, and removed when that ends. */
	held: boolean;
}

/** For how long a session is kept. */
export interface Keeping {
	/** After its last moment; 0 is for ever. */
	days: number;
	/** When it is deleted, as things are. */
	deletes: string | null;
	/** Since when a legal hold keeps everything. */
	held: string | null;
	reason: string;
	/** The reader may change it, and delete the session. */
	mine: boolean;
}

/** The proof that a session was deleted, as far as it is shown. */
export interface Receipt {
	session: string;
	opened: string | null;
	/** ms */
	duration: number;
	rule: "by-hand" | "time-was-over";
	days: number;
	begun: string;
	/** null while files are being removed */
	done: string | null;
	files: unknown[];
	/** made of its recording, which went with it */
	clips: unknown[];
}

/** What an administrator sees of a session. */
export interface KeptSession {
	id: string;
	kind: Kind;
	planner: string;
	opened: string;
	/** ms */
	duration: number;
	people: number;
	/** ms */
	recordedFor: number;
	days: number;
	held: string | null;
	reason: string;
}

/** A part of a list. */
export interface Page<T> {
	entries: T[];
	/** Where the next page begins; null on the last. */
	next: string | null;
}

const OFFLINE = "We cannot reach the server. Check your connection and try again.";

const byStatus: Record<number, string> = {
	401: "Sign in first, then try again.",
	403: "You may not do this here.",
	404: "This does not exist, or it is not shared with you.",
	409: "This has changed in the meantime. Load the page again.",
	413: "This is larger than the server takes.",
	429: "That was too often. Wait a minute, then try again.",
	503: "The server is busy. Try again in a moment.",
};

/** What an answer that is no success means to a person; the server's own sentence comes first. */
export function errorOf(status: number, body: unknown): ApiError {
	const e = (body as { error?: { code?: unknown; message?: unknown } } | null)?.error;
	const code = typeof e?.code === "string" ? e.code : `http_${status}`;
	const fallback = byStatus[status] ?? "Something went wrong on the server. Try again in a moment.";
	return new ApiError(status, code, typeof e?.message === "string" && e.message ? e.message : fallback);
}

/** The sentence of anything that was thrown. */
export function sentenceOf(thrown: unknown): string {
	if (thrown instanceof ApiError) return thrown.message;
	return "Something went wrong on this page. Load it again.";
}

export async function request<T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
	let answer: Response;
	try {
		answer = await fetch(path, {
			method,
			signal,
			credentials: "same-origin",
			headers: body === undefined ? undefined : { "Content-Type": "application/json" },
			body: body === undefined ? undefined : JSON.stringify(body),
		});
	} catch (e) {
		if (signal?.aborted) throw e;
		throw new ApiError(0, "offline", OFFLINE);
	}
	const text = await answer.text().catch(() => "");
	const json = parse(text);
	if (!answer.ok) throw errorOf(answer.status, json);
	if (text !== "" && json === undefined) {
		throw new ApiError(answer.status, "unreadable", "The server’s answer cannot be read. Load the page again.");
	}
	return json as T;
}

function parse(text: string): unknown {
	if (text === "") return undefined;
	try {
		return JSON.parse(text);
	} catch {
		return undefined;
	}
}

const id = encodeURIComponent;

/** The part of an address that says after which entry a page begins. */
const from = (after?: string) => (after ? `?after=${encodeURIComponent(after)}` : "");

export const api = {
	me: () => request<Me>("GET", "/api/me"),
	setup: (a: NewAccount) => request<Me>("POST", "/api/setup", a),
	signIn: (email: string, password: string) => request<Me>("POST", "/api/signin", { email, password }),
	signOut: () => request<void>("POST", "/api/signout", {}),
	invite: (email?: string) => request<Link>("POST", "/api/invitations", email ? { email } : {}),
	join: (a: NewAccount) => request<Me>("POST", "/api/join", a),

	clips: () => request<{ clips: Clip[] }>("GET", "/api/clips").then((r) => r.clips),
	clip: (clip: string) => request<Clip>("GET", `/api/clips/${id(clip)}`),
	changeClip: (clip: string, change: ClipChange) => request<Clip>("PATCH", `/api/clips/${id(clip)}`, change),
	deleteClip: (clip: string) => request<void>("DELETE", `/api/clips/${id(clip)}`),

	sessions: () => request<{ sessions: SessionCard[] }>("GET", "/api/sessions").then((r) => r.sessions),
	newSession: (s: NewSession) => request<Plan>("POST", "/api/sessions", s),
	session: (session: string) => request<SessionCard>("GET", `/api/sessions/${id(session)}`),
	deleteSession: (session: string) => request<void>("DELETE", `/api/sessions/${id(session)}`),
	plan: (session: string) => request<Plan>("GET", `/api/sessions/${id(session)}/plan`),
	changePlan: (session: string, change: PlanChange) =>
		request<Plan>("PATCH", `/api/sessions/${id(session)}/plan`, change),
	links: (session: string) =>
		request<{ links: RoleLink[] }>("GET", `/api/sessions/${id(session)}/invitations`).then((r) => r.links),
	replaceLink: (session: string, role: Role) =>
		request<Link>("POST", `/api/sessions/${id(session)}/invitations`, { role }),
	door: (session: string, signal?: AbortSignal) =>
		request<Door>("GET", `/api/sessions/${id(session)}/door`, undefined, signal),
	enter: (session: string, token: string, name?: string) =>
		request<Door>("POST", `/api/sessions/${id(session)}/door`, name ? { token, name } : { token }),
	replay: (session: string) => request<Replay>("GET", `/api/sessions/${id(session)}/replay`),
	measures: (session: string) => request<Measures>("POST", `/api/sessions/${id(session)}/measures`, {}),
	keeping: (session: string) => request<Keeping>("GET", `/api/sessions/${id(session)}/keeping`),
	keep: (session: string, days: number) => request<Keeping>("PUT", `/api/sessions/${id(session)}/keeping`, { days }),
	receipts: (after?: string) =>
		request<{ receipts: Receipt[]; next: string | null }>("GET", `/api/receipts${from(after)}`).then(
			(r): Page<Receipt> => ({ entries: r.receipts, next: r.next }),
		),
	receipt: (session: string) => request<Receipt>("GET", `/api/receipts/${id(session)}`),
	kept: (after?: string) =>
		request<{ sessions: KeptSession[]; next: string | null }>("GET", `/api/admin/sessions${from(after)}`).then(
			(r): Page<KeptSession> => ({ entries: r.sessions, next: r.next }),
		),
	legalHold: (session: string, on: boolean, reason: string) =>
		request<void>("PUT", `/api/admin/sessions/${id(session)}/legal-hold`, { on, reason }),
	withdrawal: (session: string) => request<Withdrawal>("GET", `/api/sessions/${id(session)}/withdrawal`),
	film: (session: string) => request<Film>("GET", `/api/sessions/${id(session)}/film`),
	askFilm: (session: string, how: { cards: boolean; captions: boolean }) =>
		request<Film>("POST", `/api/sessions/${id(session)}/film`, how),
	dropFilm: (session: string) => request<void>("DELETE", `/api/sessions/${id(session)}/film`),
	reuse: (session: string) => request<Reuse>("GET", `/api/sessions/${id(session)}/reuse`),
	askReuse: (session: string) => request<Reuse>("POST", `/api/sessions/${id(session)}/reuse`, {}),
	answerReuse: (session: string, clip: string, agree: boolean) =>
		request<Reuse>("POST", `/api/sessions/${id(session)}/reuse/answer`, { clip, agree }),
	withdraw: (session: string, removeNotes: boolean) =>
		request<void>("POST", `/api/sessions/${id(session)}/withdrawal`, { removeNotes }),
};

/** Addresses for elements that load by themselves. */
export const urls = {
	video: (clip: string, height: 720 | 360 = 720) => `/api/clips/${id(clip)}/media/${height}p.mp4`,
	poster: (clip: string) => `/api/clips/${id(clip)}/media/poster.jpg`,
	media: (clip: string, name: string) => `/api/clips/${id(clip)}/media/${name}`,
	calendar: (session: string) => `/api/sessions/${id(session)}/calendar.ics`,
	segment: (session: string, segment: string) => `/api/sessions/${id(session)}/segments/${id(segment)}`,
	film: (session: string) => `/api/sessions/${id(session)}/film.mp4`,
	track: (session: string, member: string, source: string) =>
		`/api/sessions/${id(session)}/tracks/${id(member)}/${id(source)}`,
	notes: (session: string, format: "vtt" | "csv" | "json", clock?: "clip" | "session") =>
		`/api/sessions/${id(session)}/notes.${format}${clock ? `?clock=${clock}` : ""}`,
	receipt: (session: string) => `/api/receipts/${id(session)}`,
	ws: (session: string) =>
		`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/api/sessions/${id(session)}/ws`,
};
