// A TCP proxy on loopback that delays what passes, both ways, with jitter, and keeps the order. It stands between a
// browser and the server, so that pages, commands and events take as long as over a real network.
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";

/** Passes bytes on after delay ± jitter milliseconds. A seeded generator makes runs comparable. */
function pass(from: Socket, to: Socket, delay: number, jitter: number, random: () => number): void {
  const waiting: (() => void)[] = [];
  const later = (act: () => void) => {
    // Whichever timer fires, the oldest goes first: jitter never reorders what TCP delivers.
    waiting.push(act);
    setTimeout(() => waiting.shift()?.(), delay + (2 * random() - 1) * jitter);
  };
  from.on("data", (chunk) => later(() => to.writable && to.write(chunk)));
  from.on("end", () => later(() => to.end()));
  from.on("error", () => to.destroy());
  from.on("close", () => later(() => to.destroy()));
}

function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

export class Delay {
  private readonly sockets = new Set<Socket>();
  private constructor(
    private readonly server: Server,
    readonly port: number,
  ) {}

  /** delay and jitter in milliseconds one way. */
  static async start(target: number, delay: number, jitter: number): Promise<Delay> {
    const random = generator(delay * 1000 + jitter);
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const proxy = new Delay(server, (server.address() as { port: number }).port);
    server.on("connection", (near) => {
      const far = connect(target, "127.0.0.1");
      for (const socket of [near, far]) {
        socket.setNoDelay(true);
        proxy.sockets.add(socket);
        socket.on("close", () => proxy.sockets.delete(socket));
      }
      pass(near, far, delay, jitter, random);
      pass(far, near, delay, jitter, random);
    });
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Breaks every connection, as a network that goes away does. */
  cut(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.cut();
    this.server.close();
    await once(this.server, "close");
  }
}
