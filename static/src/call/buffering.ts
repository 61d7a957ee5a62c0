/**
 * How long sound and pictures wait before they are played. What was lost is sent again, and comes about a round trip late: a picture that
 * waits for it stands still, unless all wait a little longer all the time. A browser takes that into account only where it also sends on
 * the connection, so it is told; of the publisher's way to the server it knows nothing at all. Where nothing is lost nothing waits
 * longer: that would be in the way of a conversation.
 */

/** What a connection has received of somebody's pictures since it began; times in milliseconds. */
export interface Received {
	/** Packets that were asked for again. */
	asked: number;
	freezes: number;
	frozen: number;
	/** How long pictures were to wait, summed over those that were shown. */
	planned: number;
	shown: number;
}

/** How long somebody's sound and pictures wait at least, milliseconds, and when something was lost last. */
export interface Wait {
	target: number;
	lostAt: number;
}

const EVERY = 1000;
/** After so long without losses nothing waits longer than it must. */
const FORGET = 30_000;
/** What waits longer is more in the way of a conversation than a picture that stands still now and then. */
const LONGEST = 500;
/** A picture that stands still for longer did not wait for what is sent again. */
const OTHER_FREEZE = 1000;
/** Nobody sees a picture that is late by this. */
const UNSEEN = 100;

/** The wait after so much more was received. late is how late what was lost should come; where it comes later, pictures stand still. */
export function nextWait(wait: Wait, before: Received, after: Received, late: number, now: number): Wait {
	if (after.asked <= before.asked) return now - wait.lostAt < FORGET ? wait : { target: 0, lostAt: wait.lostAt };
	const freezes = after.freezes - before.freezes;
	const freeze = freezes > 0 ? (after.frozen - before.frozen) / freezes : 0;
	const shown = after.shown - before.shown;
	const planned = shown > 0 ? (after.planned - before.planned) / shown : wait.target;
	const longer = freeze > 0 && freeze < OTHER_FREEZE ? planned + freeze - UNSEEN : 0;
	return { target: Math.min(Math.max(wait.target, late, longer), LONGEST), lostAt: now };
}

/** Whose a stream is, by the mid of its transceiver. */
export type Members = Record<string, { member: string; source: string }>;

/** Lets what a connection receives wait as it must. */
export class Buffering {
	#pc: RTCPeerConnection;
	#members: Members = {};
	#late: ReadonlyMap<string, number>;
	#waits = new Map<string, Wait>(); // by member
	#before = new Map<string, Received>();
	#timer: ReturnType<typeof setInterval>;

	/** late is how late, ms, comes what was lost on its way from a member to the server; nothing is of who is left out. */
	constructor(pc: RTCPeerConnection, late: ReadonlyMap<string, number>) {
		this.#pc = pc;
		this.#late = late;
		this.#timer = setInterval(() => void this.#look(), EVERY);
	}

	/** Who is received from now on. */
	list(members: Members): void {
		this.#members = members;
	}

	close(): void {
		clearInterval(this.#timer);
	}

	async #look(): Promise<void> {
		const { received, roundTrip } = read(await this.#pc.getStats());
		const now = performance.now();
		for (const [mid, after] of received) {
			const named = this.#members[mid];
			const before = this.#before.get(mid);
			this.#before.set(mid, after);
			if (named?.source !== "camera" || !before) continue;
			const wait = this.#waits.get(named.member) ?? { target: 0, lostAt: 0 };
			const next = nextWait(wait, before, after, roundTrip + (this.#late.get(named.member) ?? 0), now);
			this.#waits.set(named.member, next);
			if (next.target !== wait.target) this.#apply(named.member, next.target);
		}
	}

	/** Sound and pictures of one person wait for each other. */
	#apply(member: string, target: number): void {
		for (const t of this.#pc.getTransceivers()) {
			const named = this.#members[t.mid ?? ""];
			if (named?.member === member && (named.source === "audio" || named.source === "camera"))
				t.receiver.jitterBufferTarget = target || null;
		}
	}
}

/** What was received of each picture, by mid, and the round trip to the server. */
function read(stats: RTCStatsReport): { received: Map<string, Received>; roundTrip: number } {
	const received = new Map<string, Received>();
	let roundTrip = 0;
	for (const s of stats.values()) {
		if (s.type === "candidate-pair" && s.nominated)
			roundTrip = Math.max(roundTrip, 1000 * (s.currentRoundTripTime ?? 0));
		if (s.type !== "inbound-rtp" || s.kind !== "video") continue;
		received.set(s.mid, {
			asked: s.nackCount ?? 0,
			freezes: s.freezeCount ?? 0,
			frozen: 1000 * (s.totalFreezesDuration ?? 0),
			planned: 1000 * (s.jitterBufferTargetDelay ?? 0),
			shown: s.jitterBufferEmittedCount ?? 0,
		});
	}
	return { received, roundTrip };
}
