// What was measured, by name, and what is asked of it.
import { percentile } from "./measure.ts";

interface Asked {
  /** How the list becomes one figure. */
  by: "p50" | "p95" | "max" | "mean";
  must: number;
  aim: number;
  /** Larger is better. */
  more?: true;
}

/** The worst round trip of the networks, ms: 120 ± 30 one way. */
const roundTrip = 300;

const asked: [string, Asked[]][] = [
  ["media-clock spread, ms", [{ by: "p95", must: 20, aim: 10 }]],
  [
    "displayed skew of pairs, ms",
    [
      { by: "p50", must: 17, aim: 9 },
      { by: "p95", must: 34, aim: 17 },
    ],
  ],
  ["within one frame, part of the time", [{ by: "mean", must: 0.98, aim: 0.995, more: true }]],
  ["start spread, ms", [{ by: "max", must: 34, aim: 17 }]],
  ["pauses with everyone on one frame, by pixels", [{ by: "mean", must: 1, aim: 1, more: true }]],
  ["frames that somebody stepped back at a pause", [{ by: "max", must: Number.POSITIVE_INFINITY, aim: 1 }]],
  ["prepared pause: distance from its frame", [{ by: "max", must: 0, aim: 0 }]],
  ["prepared pause: last screen after the first, ms", [{ by: "max", must: Number.POSITIVE_INFINITY, aim: 50 }]],
  ["everyone stopped after a called pause, ms", [{ by: "p95", must: roundTrip + 200, aim: roundTrip + 100 }]],
  ["within 40 ms after play, ms", [{ by: "p95", must: 600, aim: 350 }]],
  ["within 40 ms after a buffered seek, ms", [{ by: "p95", must: 600, aim: 250 }]],
  ["in step after twelve seeks, ms", [{ by: "max", must: 3000, aim: 1500 }]],
  ["late joiner in step, ms", [{ by: "max", must: 3000, aim: 1500 }]],
  ["in step after looking around alone, ms", [{ by: "max", must: 3000, aim: 1500 }]],
  ["same frame again after an outage of 7 s, ms", [{ by: "max", must: 3000, aim: 1500 }]],
  ["a hidden tab stops off the others' frame, frames", [{ by: "max", must: 0, aim: 0 }]],
  ["in step after a hidden tab is looked at again, ms", [{ by: "max", must: 3000, aim: 1500 }]],
  ["others frozen while one is starved, ms", [{ by: "max", must: 8000, aim: 8000 }]],
  ["times that the others stood still while one is starved", [{ by: "max", must: 1, aim: 1 }]],
  ["everyone within 40 ms after relief, ms", [{ by: "max", must: Number.POSITIVE_INFINITY, aim: 2000 }]],
  [
    "media-clock spread at half, one and a half and double speed, ms",
    [{ by: "p95", must: Number.POSITIVE_INFINITY, aim: 40 }],
  ],
  ["corrective seeks in ten minutes of steady play", [{ by: "max", must: 1, aim: 0 }]],
];

export class Figures {
  private readonly lists = new Map<string, number[]>();

  add(name: string, value: number): void {
    const list = this.lists.get(name) ?? [];
    list.push(value);
    this.lists.set(name, list);
  }

  /** Each figure beside what is asked of it, as Markdown. */
  table(): string {
    const rows = asked.flatMap(([name, all]) =>
      all.flatMap((a) => {
        const list = this.lists.get(name);
        if (!list) return [];
        const figure = summary(list, a.by);
        const sign = a.more ? "≥" : "≤";
        const holds = (n: number) => (a.more ? figure >= n : figure <= n);
        const word = holds(a.aim) ? "aim" : holds(a.must) ? "must" : "missed";
        const bound = (n: number) => (Number.isFinite(n) ? `${sign} ${n}` : "–");
        return [
          `| ${name}, ${a.by} | ${show(figure)} | ${bound(a.must)} | ${bound(a.aim)} | ${word} | ${list.length} |`,
        ];
      }),
    );
    return ["| measure | found | must | aim | reached | samples |", "|---|---|---|---|---|---|", ...rows].join("\n");
  }

  toJSON(): object {
    return Object.fromEntries(
      [...this.lists].map(([name, list]) => [
        name,
        {
          n: list.length,
          p50: percentile(list, 0.5),
          p95: percentile(list, 0.95),
          max: percentile(list, 1),
          mean: summary(list, "mean"),
        },
      ]),
    );
  }
}

function summary(list: number[], by: Asked["by"]): number {
  if (by === "mean") return list.reduce((sum, n) => sum + n, 0) / list.length;
  return percentile(list, by === "p50" ? 0.5 : by === "p95" ? 0.95 : 1);
}

function show(n: number): string {
  return Number.isInteger(n) ? String(n) : n.toFixed(n < 1 ? 4 : 1);
}
