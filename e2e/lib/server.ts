// The real server as a child process, with its own data folder, that can be killed and started again.
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";

/** Where media arrives: loopback, unless the tests have a network of their own (scripts/apart). */
export const mediaHost = process.env.MEDIA_HOST ?? "127.0.0.1";

const binary = new URL("../../bin/pausepoint", import.meta.url).pathname;

/** A TCP port on loopback that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}

/** A new, empty folder: a server that has its data there is started for the first time. */
export function newFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), "pausepoint-e2e-"));
}

/** A folder as the first start leaves it (begin.ts), where there is one. */
async function begunFolder(): Promise<string> {
  const folder = await newFolder();
  if (process.env.BEGUN) await cp(process.env.BEGUN, folder, { recursive: true });
  return folder;
}

export class Server {
  private child?: ChildProcess;
  /** What the server printed, standard output and error. */
  log = "";

  private constructor(
    readonly port: number,
    readonly mediaPort: number,
    private readonly data: string,
    private readonly more: string[],
    private readonly env: Record<string, string>,
    private readonly scheme: "http" | "https" = "http",
  ) {}

  /** Starts a server that has prepared the practice clip, or one with its data in another folder; more flags and variables if they are given. */
  static async start(data?: string, more: string[] = [], env: Record<string, string> = {}): Promise<Server> {
    const server = new Server(await freePort(), await freePort(), data ?? (await begunFolder()), more, env);
    await server.up();
    return server;
  }

  /** Starts a server that has everything at one port, with a certificate of its own that browsers have to be told to take. */
  static async startAtOnePort(): Promise<Server> {
    const data = await begunFolder();
    const [cert, key] = [join(data, "cert.pem"), join(data, "key.pem")];
    const request = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1"];
    const names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"];
    await promisify(execFile)("openssl", [...request, ...names, "-keyout", key, "-out", cert]);
    const port = await freePort();
    const server = new Server(port, port, data, ["--tls-cert", cert, "--tls-key", key], {}, "https");
    await server.up();
    return server;
  }

  get url(): string {
    return `${this.scheme}://127.0.0.1:${this.port}`;
  }

  /** Starts the process and resolves when /healthz answers 200 and what the server says at its start is printed. */
  async up(): Promise<void> {
    const before = this.log.length;
    const child = spawn(
      binary,
      [
        "serve",
        "--addr",
        `127.0.0.1:${this.port}`,
        "--media-addr",
        `${mediaHost}:${this.mediaPort}`,
        "--data",
        this.data,
        ...this.more,
      ],
      { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...this.env } },
    );
    this.child = child;
    for (const out of [child.stdout, child.stderr]) {
      createInterface({ input: out }).on("line", (line) => {
        this.log += `${line}\n`;
      });
    }
    for (;;) {
      if (child.exitCode !== null) throw new Error(`the server stopped with ${child.exitCode}:\n${this.log}`);
      if (this.log.includes("Pausepoint is ready.", before) && (await this.answers())) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Whether it answers. Node does not take the certificate that one port has; browsers, which do, wait by themselves. */
  private async answers(): Promise<boolean> {
    if (this.scheme === "https") return true;
    return (await fetch(`${this.url}/healthz`).catch(() => undefined))?.status === 200;
  }

  /** Resolves when the server has printed these words. */
  async says(words: string): Promise<void> {
    while (!this.log.includes(words)) {
      if (this.child?.exitCode !== null) throw new Error(`the server stopped before it said ${words}:\n${this.log}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** kill -9. */
  async kill(): Promise<void> {
    await this.end("SIGKILL");
  }

  /** Ends the server as an administrator does; its data stays. */
  async stop(): Promise<void> {
    await this.end("SIGTERM");
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, "exit");
    child.kill(signal);
    await gone;
  }

  /** The one-time link's token, as printed at the first start. */
  get setupToken(): string {
    const found = /\/setup#([\w-]+)/.exec(this.log);
    if (!found?.[1]) throw new Error(`no one-time link was printed:\n${this.log}`);
    return found[1];
  }

  async close(): Promise<void> {
    await this.stop();
    await rm(this.data, { recursive: true, force: true });
  }
}
