// What a participant's picture and sound really are, read from the page.
import type { BrowserContext, Page } from "@playwright/test";

/** In a page: keeps every RTCPeerConnection, so that its statistics can be read. */
export function keepPeers(): void {
  const Original = window.RTCPeerConnection;
  const peers: RTCPeerConnection[] = [];
  Object.assign(window, { __peers: peers });
  window.RTCPeerConnection = class extends Original {
    constructor(configuration?: RTCConfiguration) {
      super(configuration);
      peers.push(this);
    }
  };
}

/** Does so in every page of a browser. */
export async function watchPeers(context: BrowserContext): Promise<void> {
  await context.addInitScript(keepPeers);
}

/** Energy of all audio received so far (RTCInboundRtpStreamStats.totalAudioEnergy), summed over live connections. */
export async function audioEnergy(page: Page): Promise<number> {
  return page.evaluate(async () => {
    let energy = 0;
    for (const peer of (window as unknown as { __peers: RTCPeerConnection[] }).__peers) {
      if (peer.connectionState !== "connected") continue;
      for (const stat of (await peer.getStats()).values()) {
        if (stat.type === "inbound-rtp" && stat.kind === "audio") energy += stat.totalAudioEnergy ?? 0;
      }
    }
    return energy;
  });
}

export interface Picture {
  /** Seconds that the element has played. */
  time: number;
  /** Mean brightness, 0 to 255. */
  light: number;
  /** Difference between the brightest and the darkest sample: 0 is one flat colour. */
  range: number;
}

/** What the participant videos of a page show now, in the order of the page. Those without a picture are left out. */
export async function pictures(page: Page): Promise<Picture[]> {
  return page.getByTestId("participant").evaluateAll(picturesIn);
}

/** In a page: what videos show now. */
export function picturesIn(elements: Element[]): Picture[] {
  return elements.flatMap((element) => {
    const video = element as HTMLVideoElement;
    if (!video.videoWidth) return [];
    const canvas = document.createElement("canvas");
    canvas.width = 32;
    canvas.height = 24;
    const context = canvas.getContext("2d", { willReadFrequently: true });
    if (!context) return [];
    context.drawImage(video, 0, 0, 32, 24);
    const { data } = context.getImageData(0, 0, 32, 24);
    let sum = 0;
    let least = 255;
    let most = 0;
    for (let i = 0; i < data.length; i += 4) {
      const light = ((data[i] ?? 0) + (data[i + 1] ?? 0) + (data[i + 2] ?? 0)) / 3;
      sum += light;
      least = Math.min(least, light);
      most = Math.max(most, light);
    }
    return [{ time: video.currentTime, light: sum / (data.length / 4), range: most - least }];
  });
}

/** The codecs of the pictures that a page receives, each once. */
export async function codecs(page: Page): Promise<string[]> {
  return page.evaluate(async () => {
    const found = new Set<string>();
    for (const peer of (window as unknown as { __peers: RTCPeerConnection[] }).__peers) {
      if (peer.connectionState !== "connected") continue;
      const stats = await peer.getStats();
      for (const s of stats.values()) {
        if (s.type === "inbound-rtp" && s.kind === "video" && s.framesDecoded > 0)
          found.add(stats.get(s.codecId)?.mimeType);
      }
    }
    return [...found];
  });
}

/** The protocols over which a page's live connections run ("udp", "tcp"), each once. */
export async function transports(page: Page): Promise<string[]> {
  return page.evaluate(async () => {
    const found = new Set<string>();
    for (const peer of (window as unknown as { __peers: RTCPeerConnection[] }).__peers) {
      if (peer.connectionState !== "connected") continue;
      const stats = await peer.getStats();
      for (const stat of stats.values()) {
        if (stat.type !== "transport" || !stat.selectedCandidatePairId) continue;
        const pair = stats.get(stat.selectedCandidatePairId);
        found.add(stats.get(pair.localCandidateId)?.protocol ?? "unknown");
      }
    }
    return [...found].sort();
  });
}

/** How many remote pictures have gone on since the last call with the same memory. */
export async function movingPictures(page: Page, memory: Map<string, number>): Promise<number> {
  const now = await page.evaluate(async () => {
    const frames: [string, number][] = [];
    for (const peer of (window as unknown as { __peers: RTCPeerConnection[] }).__peers) {
      if (peer.connectionState !== "connected") continue;
      for (const stat of (await peer.getStats()).values()) {
        if (stat.type === "inbound-rtp" && stat.kind === "video")
          frames.push([`${stat.ssrc} ${stat.mid}`, stat.framesDecoded ?? 0]);
      }
    }
    return frames;
  });
  const moving = now.filter(([id, frames]) => frames > (memory.get(id) ?? Infinity)).length;
  memory.clear();
  for (const [id, frames] of now) memory.set(id, frames);
  return moving;
}

/** What of recorded segments the replay's cameras do not hold in their buffers: a sentence for each stretch of more than 0.1 s. */
export async function missing(
  page: Page,
  segments: { member: string; start: number; end: number }[],
): Promise<string[]> {
  const held = await page.getByTestId("participant").evaluateAll((elements) =>
    elements.map((element) => {
      const { buffered } = element as HTMLVideoElement;
      const member = element.closest<HTMLElement>("[data-member]")?.dataset.member;
      return {
        member,
        ranges: Array.from(
          { length: buffered.length },
          (_, i) => [buffered.start(i) * 1000, buffered.end(i) * 1000] as const,
        ),
      };
    }),
  );
  return segments.flatMap(({ member, start, end }) => {
    let at = start;
    const holes: string[] = [];
    for (const [from, to] of held.find((h) => h.member === member)?.ranges ?? []) {
      if (to <= at || from >= end) continue;
      if (from - at > 100) holes.push(`${member} from ${at} to ${from}`);
      at = to;
    }
    if (end - at > 100) holes.push(`${member} from ${at} to ${end}`);
    return holes;
  });
}
