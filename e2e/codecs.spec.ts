// Browsers send VP8 by themselves here. Others are forwarded all the same, as Chromium really sends them: H.264 in several sizes, VP9 and
// AV1 as one stream and as scalable video.
import { expect, type Page, test } from "@playwright/test";
import { seesAll } from "./lib/call.ts";
import { codecs } from "./lib/media.ts";
import { api, enter, invitation, makeFirstAccount, newPerson } from "./lib/people.ts";
import { Server } from "./lib/server.ts";

const kinds: [name: string, mime: string, scalability?: string][] = [
  ["H.264, simulcast", "video/H264"],
  ["VP9", "video/VP9"],
  ["VP9, scalable", "video/VP9", "L3T3_KEY"],
  ["AV1", "video/AV1"],
  ["AV1, scalable", "video/AV1", "L3T3_KEY"],
];

let server: Server;
let amara: Page;

test.beforeAll(async ({ browser }) => {
  server = await Server.start();
  amara = await newPerson(browser);
  await makeFirstAccount(amara, server, server.url);
});

test.afterAll(async () => {
  await amara?.context().close();
  await server?.close();
});

/** In a page, before anything else runs: pictures are sent in another codec. */
function sendAs([mime, scalability]: [string, string | undefined]): void {
  const preferences = RTCRtpTransceiver.prototype.setCodecPreferences;
  RTCRtpTransceiver.prototype.setCodecPreferences = function (list) {
    const codecs = [...list];
    const wanted = codecs.filter((c) => c.mimeType.toLowerCase() === mime.toLowerCase());
    if (wanted.length > 0) preferences.call(this, [...wanted, ...codecs.filter((c) => !wanted.includes(c))]);
    else preferences.call(this, codecs);
  };
  if (!scalability) return;
  const add = RTCPeerConnection.prototype.addTransceiver;
  RTCPeerConnection.prototype.addTransceiver = function (track, init) {
    const video = typeof track !== "string" && track.kind === "video";
    return add.call(
      this,
      track,
      video ? { ...init, sendEncodings: [{ scalabilityMode: scalability } as RTCRtpEncodingParameters] } : init,
    );
  };
}

for (const [name, mime, scalability] of kinds) {
  test(`pictures arrive as ${name}`, async ({ browser }) => {
    const { id } = await api<{ id: string }>(amara, "POST", "/api/sessions", {
      kind: "conversation",
      title: name,
      recorded: false,
    });
    await enter(amara, `${server.url}/s/${id}`, undefined, null);
    const tomasz = await newPerson(browser);
    await tomasz.addInitScript(sendAs, [mime, scalability] as [string, string | undefined]);
    await enter(tomasz, await invitation(amara, id, "coach", server.url), "Tomasz", null);
    await seesAll(amara, 2);
    await expect.poll(() => codecs(amara)).toEqual([mime]);
    await tomasz.context().close();
  });
}
