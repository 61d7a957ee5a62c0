// How well a page receives sound and pictures, from its connections' own statistics (W3C webrtc-stats). The function runs in the page,
// so it is whole in itself: both Playwright and Puppeteer evaluate it.

export interface Reception {
  /** Seconds. */
  at: number;
  /** Sound: samples that came, and samples that had to be made up while there was something to hear. */
  samples: number;
  concealed: number;
  /** Pictures, summed over those that are received. */
  frames: number;
  freezes: number;
  freezeSeconds: number;
  packetsLost: number;
  packets: number;
  nacks: number;
  keyRequests: number;
  /** Heights of the pictures received now, the tallest first. */
  heights: number[];
}

export async function receptionInPage(): Promise<Reception> {
  const r: Reception = {
    at: performance.now() / 1000,
    samples: 0,
    concealed: 0,
    frames: 0,
    freezes: 0,
    freezeSeconds: 0,
    packetsLost: 0,
    packets: 0,
    nacks: 0,
    keyRequests: 0,
    heights: [],
  };
  for (const peer of (window as unknown as { __peers: RTCPeerConnection[] }).__peers) {
    if (peer.connectionState !== "connected") continue;
    for (const s of (await peer.getStats()).values()) {
      if (s.type !== "inbound-rtp") continue;
      r.packets += s.packetsReceived ?? 0;
      r.packetsLost += Math.max(s.packetsLost ?? 0, 0);
      if (s.kind === "audio") {
        r.samples += s.totalSamplesReceived ?? 0;
        r.concealed += (s.concealedSamples ?? 0) - (s.silentConcealedSamples ?? 0);
        continue;
      }
      r.frames += s.framesDecoded ?? 0;
      r.freezes += s.freezeCount ?? 0;
      r.freezeSeconds += s.totalFreezesDuration ?? 0;
      r.nacks += s.nackCount ?? 0;
      r.keyRequests += s.pliCount ?? 0;
      if (s.frameHeight) r.heights.push(s.frameHeight);
    }
  }
  r.heights.sort((a, b) => b - a);
  return r;
}

/** What happened between two readings. */
export function between(a: Reception, b: Reception) {
  const seconds = b.at - a.at;
  return {
    seconds,
    /** Part of the sound that was made up. */
    concealed: (b.concealed - a.concealed) / Math.max(b.samples - a.samples, 1),
    /** Part of the time in which a picture stood still. */
    frozen: (b.freezeSeconds - a.freezeSeconds) / seconds,
    freezes: b.freezes - a.freezes,
    framesPerSecond: (b.frames - a.frames) / seconds,
    lost: (b.packetsLost - a.packetsLost) / Math.max(b.packets - a.packets + b.packetsLost - a.packetsLost, 1),
  };
}
