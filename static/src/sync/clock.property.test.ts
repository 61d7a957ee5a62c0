// The clock filter against simulated networks and clocks. The bound is the one that no filter can beat (RFC 5905, appendix A): the way
// there and the way back cannot be told apart, so half of their difference stays.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SessionClock } from "./clock.ts";

interface Network {
	/** ms there and back, at the least */
	there: number;
	back: number;
	/** scale of the heavy tail, ms */
	tail: number;
	/** how fast the local clock runs against the session's, parts of a million */
	skew: number;
	offset: number;
	/** for each ping: where in the tail it falls, there, at the server, back */
	luck: [number, number, number][];
}

/** Pings once a second; gives how far the clock is off after each, ms. */
function run({ there, back, tail, skew, offset, luck }: Network): number[] {
	// True time is the session's; the local clock runs at 1 + skew and began elsewhere.
	const local = (t: number) => t * (1 + skew / 1e6) + offset;
	let t = 0;
	const clock = new SessionClock(() => local(t));
	return luck.map(([a, b, c], i) => {
		const sent = i * 1000;
		const received = sent + there + pareto(a, tail);
		const answered = received + b;
		t = answered + back + pareto(c, tail);
		clock.sample(local(sent), received, answered, local(t));
		return clock.now() - t;
	});
}

/** A heavy tail (Pareto, shape 1.5): most packets wait little, some very long. */
function pareto(u: number, scale: number): number {
	return scale * ((1 - u * 0.999) ** (-1 / 1.5) - 1);
}

/** What the clocks can have drifted apart, ms, since the oldest ping that is kept was sent: twenty seconds, and the longest way. */
function driftOf({ skew, tail }: Network): number {
	return (Math.abs(skew) / 1e6) * (20_000 + 600 + 2 * pareto(1, tail)) * 2;
}

const unit = fc.double({ min: 0, max: 1, noNaN: true });
const ms = (max: number) => fc.double({ min: 0, max, noNaN: true });
const network = (pings: number): fc.Arbitrary<Network> =>
	fc.record({
		there: ms(300),
		back: ms(300),
		tail: ms(80),
		skew: fc.double({ min: -200, max: 200, noNaN: true }),
		offset: fc.double({ min: -1e9, max: 1e9, noNaN: true }),
		luck: fc.array(fc.tuple(unit, unit, unit), { minLength: pings, maxLength: pings }),
	});

describe("SessionClock over simulated networks", () => {
	it("is off by half of any ping's round trip at most, and by the drift since then", () => {
		fc.assert(
			fc.property(network(40), (n) => {
				const errors = run(n);
				errors.forEach((error, i) => {
					const kept = n.luck.slice(Math.max(0, i - 19), i + 1);
					// Whatever is chosen has a round trip no longer than any other's: each one bounds the error.
					const bound = Math.min(
						...kept.map(([a, , c]) => (n.there + pareto(a, n.tail) + n.back + pareto(c, n.tail)) / 2),
					);
					const drift = driftOf(n);
					expect(Math.abs(error)).toBeLessThanOrEqual(bound + drift + 0.01);
				});
			}),
			{ numRuns: 300 },
		);
	});

	it("is off by half the difference of the ways, once a ping had luck there and a ping had luck back", () => {
		fc.assert(
			fc.property(network(20), fc.nat(19), fc.nat(19), (n, there, back) => {
				n.luck[there] = [0, 0, n.luck[there]?.[2] ?? 0];
				n.luck[back] = [n.luck[back]?.[0] ?? 0, 0, 0];
				const error = run(n).at(-1) ?? Number.NaN;
				const drift = driftOf(n);
				expect(Math.abs(error)).toBeLessThanOrEqual(Math.abs(n.there - n.back) / 2 + drift + 0.01);
			}),
			{ numRuns: 300 },
		);
	});
});
