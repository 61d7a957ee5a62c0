// A worse network for one browser's media: UDP goes through bench/impair. Pages, commands and events are not touched; Delay is for them.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { mediaHost } from "./server.ts";

const binary = new URL("../../bin/impair", import.meta.url).pathname;

/** One direction; times in milliseconds, the rate in kbit/s. What is left out is perfect. */
export interface Conditions {
  delay?: number;
  jitter?: number;
  reorder?: boolean;
  loss?: number;
  burst?: number;
  burstEvery?: number;
  rate?: number;
  queue?: number;
}

export interface Counts {
  passed: number;
  lost: number;
  overflow: number;
  bytes: number;
}

export class Impair {
  private readonly waiting: ((line: string) => void)[] = [];

  private constructor(
    private readonly child: ChildProcess,
    readonly port: number,
  ) {}

  /** Stands before the server's media port. */
  static async start(mediaPort: number): Promise<Impair> {
    const child = spawn(binary, ["-target", `${mediaHost}:${mediaPort}`, "-listen", `${mediaHost}:0`], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    const lines = createInterface({ input: child.stdout });
    const [first] = (await once(lines, "line")) as [string];
    const impair = new Impair(child, (JSON.parse(first) as { port: number }).port);
    lines.on("line", (line) => impair.waiting.shift()?.(line));
    return impair;
  }

  /** Conditions from now on. Resolves with what was counted until then; up is from the browser to the server. */
  async set(to: { up?: Conditions; down?: Conditions } = {}): Promise<{ up: Counts; down: Counts }> {
    const answer = new Promise<string>((resolve) => this.waiting.push(resolve));
    this.child.stdin?.write(`${JSON.stringify(to)}\n`);
    return JSON.parse(await answer);
  }

  async close(): Promise<void> {
    this.child.stdin?.end();
    if (this.child.exitCode === null) await once(this.child, "exit");
  }
}

/** In a page, before anything else runs: the server's media is reached at another UDP port only. */
export function throughPort(port: number): void {
  type Set = (this: RTCPeerConnection, description: RTCSessionDescriptionInit) => Promise<void>;
  const original = RTCPeerConnection.prototype.setRemoteDescription as Set;
  const changed: Set = function (description) {
    const lines = (description.sdp ?? "").split("\r\n").flatMap((line) => {
      if (!line.startsWith("a=candidate:")) return [line];
      const fields = line.split(" ");
      if (fields[2]?.toLowerCase() !== "udp") return [];
      fields[5] = String(port);
      return [fields.join(" ")];
    });
    return original.call(this, { type: description.type, sdp: lines.join("\r\n") });
  };
  RTCPeerConnection.prototype.setRemoteDescription = changed as RTCPeerConnection["setRemoteDescription"];
}
