// Several real servers on one PostgreSQL, one Redis and one bucket, behind one address.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { Balancer } from "./balancer.ts";
import { newFolder, Server } from "./server.ts";

const binary = new URL("../../bin/stores", import.meta.url).pathname;

/** Where servers keep what they share, and the keys of the bucket. All of it ends when the input of its process does. */
interface Stores {
  database: string;
  redis: string;
  blobs: string;
  keys: Record<string, string>;
  child: ChildProcess;
}

async function startStores(): Promise<Stores> {
  const child = spawn(binary, { stdio: ["pipe", "pipe", "inherit"] });
  for await (const line of createInterface({ input: child.stdout })) return { ...JSON.parse(line), child };
  throw new Error("the stores did not start");
}

export class Nodes {
  private readonly servers: Server[] = [];

  private constructor(
    private readonly stores: Stores,
    private readonly balancer: Balancer,
  ) {}

  static async start(): Promise<Nodes> {
    return new Nodes(await startStores(), await Balancer.start());
  }

  /** Starts another server. Whoever comes by the address gets to the first one that lives. */
  async add(name: string): Promise<Server> {
    const { database, redis, blobs, keys } = this.stores;
    const flags = ["--database", database, "--redis", redis, "--blobs", blobs, "--node", name];
    const server = await Server.start(await newFolder(), flags, keys);
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
    const { child } = this.stores;
    child.stdin?.end();
    if (child.exitCode === null) await once(child, "exit");
  }
}
