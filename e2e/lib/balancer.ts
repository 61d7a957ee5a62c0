// Sends browsers to a server that lives, under one address.
import { once } from "node:events";
import { connect, createServer, type Server as Listener, type Socket } from "node:net";

/** A balancer for TCP: a connection goes to the first node that takes it, and ends with it. */
export class Balancer {
  /** Where to, in the order in which they are tried. */
  readonly ports: number[] = [];
  private readonly open = new Set<Socket>();

  private constructor(private readonly listener: Listener) {}

  static async start(): Promise<Balancer> {
    const listener = createServer();
    const balancer = new Balancer(listener);
    listener.on("connection", (from) => balancer.pass(from, balancer.ports));
    listener.listen(0, "127.0.0.1");
    await once(listener, "listening");
    return balancer;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.listener.address() as { port: number }).port}`;
  }

  private pass(from: Socket, [port, ...others]: number[]): void {
    if (port === undefined) {
      from.destroy();
      return;
    }
    const to = connect(port, "127.0.0.1");
    to.once("error", () => this.pass(from, others));
    to.once("connect", () => {
      to.removeAllListeners("error");
      for (const [one, other] of [
        [from, to],
        [to, from],
      ] as const) {
        this.open.add(one);
        one.on("error", () => other.destroy());
        one.on("close", () => {
          this.open.delete(one);
          other.destroy();
        });
        one.pipe(other);
      }
    });
  }

  async close(): Promise<void> {
    this.listener.close();
    for (const socket of this.open) socket.destroy();
    await once(this.listener, "close");
  }
}
