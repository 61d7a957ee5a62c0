// A server of one number, as Chromium reaches it: pages over HTTPS, and sound and pictures over UDP, over TCP, and through TURN over TLS, of
// which a browser does not say in TLS that it is no HTTPS.
import { type Browser, chromium, expect, type Page, test } from "@playwright/test";
import { seesAll } from "./lib/call.ts";
import { args, executablePath } from "./lib/chromium.ts";
import { api, enter, invitation, makeFirstAccount, newPerson } from "./lib/people.ts";
import { Server } from "./lib/server.ts";

let server: Server;
let browser: Browser;
let amara: Page;

test.beforeAll(async () => {
  server = await Server.startAtOnePort();
  browser = await chromium.launch({ executablePath, args: [...args, "--ignore-certificate-errors"] });
  amara = await newPerson(browser, { ignoreHTTPSErrors: true });
  await makeFirstAccount(amara, server, server.url);
});

test.afterAll(async () => {
  await browser?.close();
  await server?.close();
});

type Way = "udp" | "tcp" | "tls";

/** In a page, before anything else runs: media finds one way only. */
function only(way: Way): void {
  const Original = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Original {
    constructor(configuration?: RTCConfiguration) {
      super({
        ...configuration,
        iceTransportPolicy: way === "tls" ? "relay" : "all",
        ...(way === "tls" ? {} : { iceServers: [] }),
      });
    }
    override setRemoteDescription(description: RTCSessionDescriptionInit): Promise<void> {
      const other = way === "tcp" ? " udp " : " tcp ";
      const lines = (description.sdp ?? "")
        .split("\r\n")
        .filter((l) => !(l.startsWith("a=candidate") && l.includes(other)));
      return super.setRemoteDescription({ ...description, sdp: lines.join("\r\n") });
    }
  };
}

/** How the media of a page goes, for each of its connections: over what, and to which port of the server. */
function ways(page: Page): Promise<string[]> {
  return page.evaluate(async () => {
    const found: string[] = [];
    for (const peer of (window as unknown as { __peers: RTCPeerConnection[] }).__peers) {
      const stats = await peer.getStats();
      for (const transport of stats.values()) {
        const pair = transport.type === "transport" && stats.get(transport.selectedCandidatePairId);
        if (!pair) continue;
        const [local, remote] = [stats.get(pair.localCandidateId), stats.get(pair.remoteCandidateId)];
        const port = local.relayProtocol ? new URL(local.url.replace("turns:", "https://")).port : remote.port;
        found.push(`${local.relayProtocol ?? local.protocol} ${port}`);
      }
    }
    return found;
  });
}

for (const way of ["udp", "tcp", "tls"] satisfies Way[]) {
  test(`sound and pictures at the port of the pages, over ${way}`, async () => {
    const { id } = await api<{ id: string }>(amara, "POST", "/api/sessions", {
      kind: "conversation",
      title: way,
      recorded: false,
    });
    await enter(amara, `${server.url}/s/${id}`, undefined, null);
    const tomasz = await newPerson(browser, { ignoreHTTPSErrors: true });
    await tomasz.addInitScript(only, way);
    await enter(tomasz, await invitation(amara, id, "coach", server.url), "Tomasz", null);
    await seesAll(amara, 2);
    await seesAll(tomasz, 2);
    const each = `${way} ${server.port}`;
    await expect.poll(() => ways(tomasz)).toEqual([each, each]);
    await tomasz.context().close();
  });
}
