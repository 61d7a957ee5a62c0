// What a page's clip shows and when, noted in the page itself. All times are milliseconds of the machine's clock
// (performance.timeOrigin + performance.now()), which all browsers on one machine share.

/** A picture of the clip that was handed to the screen. */
export interface Shown {
  /** When it is on the screen, as the browser expects it. */
  at: number;
  /** Its place in the clip, seconds. */
  media: number;
  /** How many pictures were presented so far, with this one. */
  count: number;
}

/** The element's own time. */
export interface Ticked {
  at: number;
  time: number;
  paused: boolean;
}

export interface Happened {
  at: number;
  type: "play" | "pause" | "seeking" | "seeked" | "waiting" | "press";
}

export interface Record {
  /** The pictures, with the one that was on the screen when it began. */
  shown: Shown[];
  ticks: Ticked[];
  events: Happened[];
}

/** In a page, before anything else runs: begins to note as soon as there is a clip. Take it with takeRecord. */
export function keepRecord(): void {
  const empty = () => ({ shown: [], ticks: [], events: [] }) as Record;
  const state = { record: empty(), element: null as HTMLVideoElement | null };
  Object.assign(window, {
    __sync: {
      take: () => {
        const { record } = state;
        state.record = { ...empty(), shown: record.shown.slice(-1) };
        return record;
      },
    },
  });
  const absolute = (t: number) => performance.timeOrigin + t;
  const watch = (video: HTMLVideoElement) => {
    state.element = video;
    const frame: VideoFrameRequestCallback = (_, { expectedDisplayTime, mediaTime, presentedFrames }) => {
      const at = absolute(expectedDisplayTime);
      state.record.shown.push({ at, media: mediaTime, count: presentedFrames });
      if (state.element === video) video.requestVideoFrameCallback(frame);
    };
    video.requestVideoFrameCallback(frame);
    for (const type of ["play", "pause", "seeking", "seeked", "waiting"] as const) {
      video.addEventListener(type, () => state.record.events.push({ at: absolute(performance.now()), type }));
    }
  };
  for (const type of ["keydown", "click"]) {
    const press = () => state.record.events.push({ at: absolute(performance.now()), type: "press" });
    window.addEventListener(type, press, { capture: true });
  }
  setInterval(() => {
    const video = document.querySelector<HTMLVideoElement>('[data-testid="clip"]');
    if (video && video !== state.element) watch(video);
    if (!video || video.readyState < 1) return;
    state.record.ticks.push({ at: absolute(performance.now()), time: video.currentTime, paused: video.paused });
  }, 20);
}

/** In a page: what was noted since the last time. */
export function takeRecord(): Record {
  return (window as unknown as { __sync: { take(): Record } }).__sync.take();
}
