// Several real servers on one PostgreSQL and one Redis, behind one address.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Balancer } from "./balancer.ts";
import { Server } from "./server.ts";

const binary = new URL("../../bin/stores", import.meta.url).pathname;

/** Where the databases are. They end when the input of their process does. */
interface Databases {
  database: string;
  redis: string;
  child: ChildProcess;
}

async function startDatabases(): Promise<Databases> {
  const child = spawn(binary, { stdio: ["pipe", "pipe", "inherit"] });
  for await (const line of createInterface({ input: child.stdout })) return { ...JSON.parse(line), child };
  throw new Error("the databases did not start");
}

export class Nodes {
  private readonly servers: Server[] = [];

  private constructor(
    private readonly databases: Databases,
    private readonly blobs: string,
    private readonly balancer: Balancer,
  ) {}

  static async start(): Promise<Nodes> {
    return new Nodes(
      await startDatabases(),
      await mkdtemp(join(tmpdir(), "pausepoint-blobs-")),
      await Balancer.start(),
    );
  }

  /** Starts another server. Whoever comes by the address gets to the first one that lives. */
  async add(name: string): Promise<Server> {
    const data = await mkdtemp(join(tmpdir(), "pausepoint-node-"));
    await symlink(this.blobs, join(data, "blobs")); // as with a bucket, prepared clips are everybody's
    const { database, redis } = this.databases;
    const server = await Server.start(data, ["--database", database, "--redis", redis, "--node", name]);
    this.servers.push(server);
    this.balancer.ports.push(server.port);
    return server;
  }

  get url(): string {
    return this.balancer.url;
  }

  async close(): Promise<void> {
    await this.balancer.close();
    for (const server of this.servers) await server.close();
    const { child } = this.databases;
    child.stdin?.end();
    if (child.exitCode === null) await once(child, "exit");
    await rm(this.blobs, { recursive: true, force: true });
  }
}
