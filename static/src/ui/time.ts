/** Times as people read them. Clip times come in µs, session times in ms, dates as ISO strings or Unix ms. */

const pad = (n: number) => String(n).padStart(2, "0");

/** 724500000 → "12:04", with tenths "12:04.5"; hours appear when there are some: "1:02:03". Never rounds up: the frame shown is the one begun. */
export function fmtClip(us: number, withTenths = false): string {
	const tenths = Math.floor(Math.max(0, Number.isFinite(us) ? us : 0) / 100_000 + 1e-6);
	const s = Math.floor(tenths / 10);
	const h = Math.floor(s / 3600);
	const m = Math.floor(s / 60) % 60;
	const head = h > 0 ? `${h}:${pad(m)}` : String(m);
	return `${head}:${pad(s % 60)}${withTenths ? `.${tenths % 10}` : ""}`;
}

/** A session time or a length of ms as 12:04. */
export function fmtMs(ms: number): string {
	return fmtClip(ms * 1000);
}

/** A clip time for the ear: "12 minutes 4.5 seconds". */
export function sayClip(us: number, withTenths = true): string {
	const t = Math.floor(Math.max(0, us) / 100_000 + 1e-6) / 10;
	const h = Math.floor(t / 3600);
	const m = Math.floor((t % 3600) / 60);
	const s = Math.round((t % 60) * 10) / 10;
	const unit = (n: number, word: string) => `${n} ${word}${n === 1 ? "" : "s"}`;
	const parts = [h && unit(h, "hour"), m && unit(m, "minute"), unit(withTenths ? s : Math.floor(s), "second")];
	return parts.filter(Boolean).join(" ");
}

/** A length of ms in words: "30 s", "6 min", "1 h 5 min". */
export function fmtLength(ms: number): string {
	if (ms < 60_000) return `${Math.round(ms / 1000)} s`;
	const min = Math.round(ms / 60_000);
	if (min < 60) return `${min} min`;
	return min % 60 ? `${Math.floor(min / 60)} h ${min % 60} min` : `${min / 60} h`;
}

type When = string | number | Date;

/** The words are English; a reader's own English decides how dates are ordered. */
function locale(): string {
	const own = typeof navigator === "undefined" ? "" : navigator.language;
	return own?.startsWith("en") ? own : "en-GB";
}

function dayDistance(t: Date, now: Date): number {
	const midnight = (d: Date) => new Date(d.getFullYear(), d.getMonth(), d.getDate()).getTime();
	return Math.round((midnight(t) - midnight(now)) / 86_400_000);
}

/** "Today", "Tomorrow", "Yesterday", "14 May", "14 May 2025", in the reader's zone. */
export function fmtDay(when: When, now: When = Date.now()): string {
	const t = new Date(when);
	const n = new Date(now);
	const days = dayDistance(t, n);
	if (days === 0) return "Today";
	if (days === 1) return "Tomorrow";
	if (days === -1) return "Yesterday";
	const year = t.getFullYear() === n.getFullYear() ? undefined : ("numeric" as const);
	return new Intl.DateTimeFormat(locale(), { day: "numeric", month: "long", year }).format(t);
}

/** A day inside a sentence: "today", "14 May". */
export function midSentence(day: string): string {
	return /^(Today|Tomorrow|Yesterday)/.test(day) ? day[0]!.toLowerCase() + day.slice(1) : day;
}

/** "10:00" by the reader's clock. */
export function fmtClock(when: When): string {
	return new Intl.DateTimeFormat(locale(), { hour: "numeric", minute: "2-digit" }).format(new Date(when));
}

/** "10:00" in a narrow column: without AM or PM, where the day is said beside it. */
export function fmtClockShort(when: When): string {
	const parts = new Intl.DateTimeFormat(locale(), { hour: "numeric", minute: "2-digit" }).formatToParts(new Date(when));
	return parts
		.filter((p) => p.type !== "dayPeriod")
		.map((p) => p.value)
		.join("")
		.trim();
}

/** "Today, 10:00" */
export function fmtDayTime(when: When, now: When = Date.now()): string {
	return `${fmtDay(when, now)}, ${fmtClock(when)}`;
}

/** "Thursday 14 May, 10:00" */
export function fmtLong(when: When): string {
	const day = new Intl.DateTimeFormat(locale(), { weekday: "long", day: "numeric", month: "long" }).format(
		new Date(when),
	);
	return `${day.replace(",", "")}, ${fmtClock(when)}`;
}

/** "in 20 minutes", "in 3 days", "2 hours ago", "now" within a minute. */
export function fmtFromNow(when: When, now: When = Date.now()): string {
	const min = Math.round((new Date(when).getTime() - new Date(now).getTime()) / 60_000);
	if (min === 0) return "now";
	const rtf = new Intl.RelativeTimeFormat("en-GB", { numeric: "auto" });
	if (Math.abs(min) < 60) return rtf.format(min, "minute");
	if (Math.abs(min) < 24 * 60) return rtf.format(Math.round(min / 60), "hour");
	return rtf.format(dayDistance(new Date(when), new Date(now)), "day");
}

/** "1 note", "3 notes" */
export function count(n: number, one: string, many = `${one}s`): string {
	return `${n} ${n === 1 ? one : many}`;
}

/** "Leila", "Leila and Tomasz", "Leila, Tomasz and Mei-Ling", "Leila, Tomasz and 4 others" */
export function names(all: string[], most = 3): string {
	if (all.length === 0) return "";
	if (all.length === 1) return all[0]!;
	if (all.length <= most) return `${all.slice(0, -1).join(", ")} and ${all.at(-1)}`;
	const shown = all.slice(0, most - 1);
	return `${shown.join(", ")} and ${count(all.length - shown.length, "other")}`;
}

/** 1536000 → "1.5 MB" */
export function fmtBytes(n: number): string {
	if (n < 1000) return `${n} bytes`;
	const units = ["kB", "MB", "GB", "TB"];
	let v = n / 1000;
	let i = 0;
	while (v >= 999.5 && i < units.length - 1) {
		v /= 1000;
		i++;
	}
	return `${v < 10 ? v.toFixed(1) : Math.round(v)} ${units[i]}`;
}
