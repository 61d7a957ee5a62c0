// A TCP proxy on loopback that makes a network of what passes: delay with jitter, losses, a rate, and outages. It stands between a
// browser and the server, so that pages, clips, commands and events take as long as over a real network. The order is kept, as TCP
// keeps it: what is lost holds up all that comes after it until it was sent again.
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";

export interface Network {
  /** One way, milliseconds. */
  delay: number;
  jitter: number;
  /** Part of the pieces that are lost and sent again. */
  loss?: number;
  /** kbit/s each way, of all connections together; no limit where it is left out. */
  rate?: number;
}

/** What is passed on at once, at most: a rate is kept by pieces of it. */
const piece = 1448;
/** Bytes on the way in one direction of a connection before the sender has to wait. */
const window = 256 * 1024;
/** The first time after which TCP sends again what was not acknowledged, and what a connection is asked for; it doubles each time. */
const sendAgain = 200;
const connectAgain = 1000;

/** Something that is sent on a connection, and what happens when it arrives. */
interface Piece {
  bytes: number;
  act: () => void;
}

/** One direction of all connections: they share its rate evenly, as TCP does, so that a download does not keep a message waiting. */
class Line {
  private readonly queues = new Map<Way, Piece[]>();
  private timer?: NodeJS.Timeout;
  private free = 0;

  constructor(
    private readonly network: () => Network,
    private readonly random: () => number,
  ) {}

  send(way: Way, piece: Piece): void {
    const queue = this.queues.get(way);
    if (queue) queue.push(piece);
    else this.queues.set(way, [piece]);
    this.serve();
  }

  /** The network is another one. */
  changed(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.free = 0;
    this.serve();
  }

  /** Sends what the rate allows by now, one piece of each connection in turn. */
  private serve(): void {
    if (this.timer) return;
    const now = performance.now();
    while (this.queues.size > 0 && this.free <= now) this.next(now);
    if (this.queues.size === 0) return;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      this.serve();
    }, this.free - now);
  }

  private next(now: number): void {
    for (const [way, queue] of this.queues) {
      this.queues.delete(way); // and behind the others, if there is more
      const piece = queue.shift() as Piece;
      if (queue.length > 0) this.queues.set(way, queue);
      const { delay, jitter, loss = 0, rate } = this.network();
      // Timers come late: what was due in the last 20 ms goes at once.
      this.free = Math.max(this.free, now - 20) + (rate ? (piece.bytes * 8) / rate : 0);
      const again = this.random() < loss ? Math.max(sendAgain, 2 * delay) : 0;
      way.arrives(piece, now + delay + (2 * this.random() - 1) * jitter + again);
      return;
    }
  }
}

/** One direction of one connection. */
class Way {
  private readonly waiting: (Piece & { due: number })[] = []; // on their way, in order
  private bytes = 0;
  private last = 0;
  private timer?: NodeJS.Timeout;
  private held = false;

  constructor(
    private readonly from: Socket,
    to: Socket,
    private readonly line: Line,
  ) {
    from.on("data", (chunk) => {
      for (let i = 0; i < chunk.length; i += piece) {
        const part = chunk.subarray(i, i + piece);
        this.later(part.length, () => to.writable && to.write(part));
      }
      if (this.bytes > window) from.pause();
    });
    from.on("end", () => this.later(0, () => to.end()));
    from.on("error", () => to.destroy());
    from.on("close", () => this.later(0, () => to.destroy()));
  }

  hold(held: boolean): void {
    this.held = held;
    this.arm();
  }

  private later(bytes: number, act: () => void): void {
    this.bytes += bytes;
    this.line.send(this, { bytes, act });
  }

  /** A piece is on its way; it arrives after those before it, however quick it is. */
  arrives(piece: Piece, due: number): void {
    this.last = Math.max(this.last, due);
    this.waiting.push({ ...piece, due: this.last });
    this.arm();
  }

  private arm(): void {
    clearTimeout(this.timer);
    const next = this.waiting[0];
    if (next && !this.held) this.timer = setTimeout(() => this.pass(), Math.max(0, next.due - performance.now()));
  }

  private pass(): void {
    const now = performance.now();
    for (let next = this.waiting[0]; next && next.due <= now + 0.5; next = this.waiting[0]) {
      this.waiting.shift();
      this.bytes -= next.bytes;
      next.act();
    }
    if (this.bytes < window / 2 && this.from.isPaused()) this.from.resume();
    this.arm();
  }
}

function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

interface Connection {
  born: number;
  ways: Way[];
}

export class Delay {
  private readonly sockets = new Set<Socket>();
  private readonly connections = new Set<Connection>();
  private outSince: number | null = null;

  private constructor(
    private readonly server: Server,
    private network: Network,
    readonly port: number,
    private readonly lines: Line[] = [],
  ) {}

  /** A seeded generator makes runs comparable. */
  static async start(target: number, network: Network): Promise<Delay> {
    const random = generator(network.delay * 1000 + network.jitter);
    const server = createServer({ pauseOnConnect: true });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const proxy = new Delay(server, network, (server.address() as { port: number }).port);
    const up = new Line(() => proxy.network, random);
    const down = new Line(() => proxy.network, random);
    proxy.lines.push(up, down);
    server.on("connection", (near) => {
      const far = connect(target, "127.0.0.1");
      for (const socket of [near, far]) {
        socket.setNoDelay(true);
        proxy.sockets.add(socket);
        socket.on("close", () => proxy.sockets.delete(socket));
      }
      const connection = { born: performance.now(), ways: [new Way(near, far, up), new Way(far, near, down)] };
      proxy.connections.add(connection);
      near.on("close", () => proxy.connections.delete(connection));
      for (const way of connection.ways) way.hold(proxy.outSince !== null);
      near.resume();
    });
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Another network from now on; what is on its way arrives as it would have. */
  change(network: Network): void {
    this.network = network;
    for (const line of this.lines) line.changed();
  }

  /**
   * While it is out nothing arrives, and nobody is told. When it is over, a connection goes on as TCP does: with its next try, which comes
   * the later the longer it was out. A new connection finds its way at once.
   */
  outage(out: boolean): void {
    const now = performance.now();
    const began = this.outSince;
    if (out === (began !== null)) return;
    this.outSince = out ? now : null;
    for (const connection of this.connections) {
      const since = Math.max(began ?? now, connection.born);
      const first = began !== null && connection.born > began ? connectAgain : sendAgain;
      const tries = Math.ceil(Math.log2((now - since) / first + 1));
      const wait = first * (2 ** tries - 1) - (now - since);
      const pass = () => {
        if (this.outSince === null) for (const way of connection.ways) way.hold(false);
      };
      if (out) for (const way of connection.ways) way.hold(true);
      else setTimeout(pass, wait).unref();
    }
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
