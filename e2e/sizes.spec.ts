// Faces are sent as large as somebody shows them, and no larger.
import { expect, type Page, test } from "@playwright/test";
import { planned, seesAll } from "./lib/call.ts";
import { enter, invitation, makeFirstAccount, newPerson } from "./lib/people.ts";
import { Server } from "./lib/server.ts";

let server: Server;

test.beforeAll(async () => {
  server = await Server.start();
});

test.afterAll(async () => {
  await server?.close();
});

/** The lines of the pictures that a page sends, or receives. */
async function lines(page: Page, way: "outbound-rtp" | "inbound-rtp"): Promise<number[]> {
  return page.evaluate(async (way) => {
    const found: number[] = [];
    for (const peer of (window as unknown as { __peers: RTCPeerConnection[] }).__peers) {
      if (peer.connectionState !== "connected") continue;
      for (const s of (await peer.getStats()).values())
        if (s.type === way && s.kind === "video" && s.active !== false && s.framesPerSecond > 0)
          found.push(s.frameHeight);
    }
    return found.sort((a, b) => a - b);
  }, way);
}

test("a face comes in 540 lines where there is room for it, and nobody makes them where there is none", async ({
  browser,
}) => {
  const large = { width: 1280, height: 800 };
  const amara = await newPerson(browser, { viewport: large });
  await makeFirstAccount(amara, server, server.url);
  const id = await planned(amara);
  await enter(amara, `${server.url}/s/${id}`, undefined, null);
  const tomasz = await newPerson(browser);
  await enter(tomasz, await invitation(amara, id, "coach", server.url), "Tomasz", null);
  await seesAll(amara, 2);
  await expect.poll(() => lines(amara, "inbound-rtp"), { timeout: 45_000 }).toEqual([540]);
  expect(await lines(tomasz, "outbound-rtp")).toEqual([135, 270, 540]);

  await amara.setViewportSize({ width: 360, height: 480 });
  await expect.poll(async () => (await lines(tomasz, "outbound-rtp")).length, { timeout: 45_000 }).toBeLessThan(3);
  const small = await lines(tomasz, "outbound-rtp");
  await expect.poll(() => lines(amara, "inbound-rtp"), { timeout: 45_000 }).toEqual(small.slice(-1));
  const place = await amara
    .getByTestId("participant")
    .evaluateAll((faces) => Math.max(...faces.map((f) => f.clientHeight)));
  expect(small.at(-1), "the picture fills its place").toBeGreaterThanOrEqual(place);

  await amara.setViewportSize(large);
  await expect.poll(() => lines(amara, "inbound-rtp"), { timeout: 45_000 }).toEqual([540]);
  for (const page of [amara, tomasz]) await page.context().close();
});
