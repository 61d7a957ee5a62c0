// A test clip whose every frame carries its own number in a row of black and white blocks, so that a test can read
// which frame is displayed from the picture itself.
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { finished } from "node:stream/promises";
import { promisify } from "node:util";
import type { Locator, Page } from "@playwright/test";

const width = 640;
const height = 360;
const bits = 16;
const cell = width / bits;
export const fps = 30;

/** One grey frame: the number in 16 blocks on top (white is 1), a moving bar below so that every frame differs; noise costs bits. */
function frame(n: number, noise: number): Buffer {
  const picture = Buffer.alloc(width * height, 96);
  if (noise > 0) for (let i = width * 80; i < picture.length; i++) picture[i] = 96 + Math.random() * noise;
  for (let x = 0; x < width; x++) {
    const bit = (n >> (bits - 1 - Math.floor(x / cell))) & 1;
    for (let y = 0; y < 80; y++) picture[y * width + x] = bit ? 235 : 16;
  }
  const bar = (n * 4) % width;
  for (let y = 160; y < 320; y++) picture.fill(200, y * width + bar, y * width + Math.min(width, bar + 24));
  return picture;
}

/** How a clip is made. noise, 0 to 100, makes it as heavy as a real lesson; tall is how many lines it has. */
export interface Making {
  noise?: number;
  tall?: number;
}

/** Makes an H.264/AAC MP4 of the given length with a quiet tone. */
export async function makeClip(path: string, seconds: number, rate = fps, making: Making = {}): Promise<void> {
  const { noise = 0, tall = height } = making;
  const input = ["-f", "rawvideo", "-pix_fmt", "gray", "-s", `${width}x${height}`, "-r", `${rate}`, "-i", "-"];
  const tone = ["-f", "lavfi", "-i", `sine=frequency=330:duration=${seconds}`];
  const codecs = [
    "-c:v",
    "libx264",
    "-preset",
    "ultrafast",
    "-crf",
    "16",
    "-pix_fmt",
    "yuv420p",
    "-vf",
    `scale=-2:${tall}:flags=neighbor`,
    "-c:a",
    "aac",
    "-shortest",
  ];
  const child = spawn("ffmpeg", ["-v", "error", "-y", ...input, ...tone, ...codecs, path], {
    stdio: ["pipe", "ignore", "inherit"],
  });
  for (let n = 0; n < seconds * rate; n++) {
    if (!child.stdin.write(frame(n, noise))) await once(child.stdin, "drain");
  }
  child.stdin.end();
  await finished(child.stdin);
  const [code] = child.exitCode === null ? await once(child, "exit") : [child.exitCode];
  if (code !== 0) throw new Error(`ffmpeg stopped with ${code}`);
}

/** Makes a clip of another that is played that many times; its frames' numbers begin anew each time. */
export async function repeatClip(from: string, path: string, times: number): Promise<void> {
  await promisify(execFile)("ffmpeg", [
    "-v",
    "error",
    "-y",
    "-stream_loop",
    `${times - 1}`,
    "-i",
    from,
    "-c",
    "copy",
    path,
  ]);
}

/** Reads the number of the frame that the page's clip shows now, from its pixels. */
export async function displayedFrame(page: Page): Promise<number> {
  return (await read(page, null)) ?? -1;
}

/** Reads the number of the frame that the page's clip shows at the next event of that kind; frameThen tells it. */
export async function watchNext(page: Page, event: "keydown" | "click"): Promise<void> {
  await read(page, event);
}

export async function frameThen(page: Page): Promise<number> {
  return Number(await page.locator("[data-frame-then]").getAttribute("data-frame-then"));
}

function read(page: Page, event: "keydown" | "click" | null): Promise<number | undefined> {
  return page.getByTestId("clip").evaluate(numberIn, { bits, event });
}

/** What numberIn is told to read the number that is shown now. */
export const shownNow = { bits, event: null };

/** In a page: the number of the frame that a clip shows now, -1 if none; or it is noted at the next event of that kind. */
export function numberIn(
  element: Element,
  { bits, event }: { bits: number; event: "keydown" | "click" | null },
): number | undefined {
  const video = element as HTMLVideoElement;
  const number = (picture: CanvasImageSource) => {
    const canvas = document.createElement("canvas");
    canvas.width = video.videoWidth;
    canvas.height = video.videoHeight;
    const context = canvas.getContext("2d", { willReadFrequently: true });
    if (!context || !canvas.width) return -1;
    context.drawImage(picture, 0, 0);
    const y = Math.round(canvas.height * 0.11);
    let n = 0;
    for (let i = 0; i < bits; i++) {
      const x = Math.round((canvas.width * (i + 0.5)) / bits);
      n = n * 2 + ((context.getImageData(x, y, 1, 1).data[0] ?? 0) > 128 ? 1 : 0);
    }
    return n;
  };
  if (!event) return number(video);
  const note = () => {
    // Reading pixels takes long on a busy machine: the page hears of the event first.
    const picture = new VideoFrame(video);
    setTimeout(() => {
      video.dataset.frameThen = String(number(picture));
      picture.close();
    });
  };
  window.addEventListener(event, note, { capture: true, once: true });
  return undefined;
}

/** The strokes that a page shows on the clip. */
export function strokes(page: Page): Locator {
  return page.locator(".picture").getByTestId("drawings").locator("g");
}

/** Draws a stroke through places of the clip, in parts of its width and height. The page draws already. */
export async function draw(page: Page, ...places: [number, number][]): Promise<void> {
  const box = await page.locator(".picture").getByTestId("drawings").boundingBox();
  if (!box) throw new Error("there is nothing to draw on");
  for (const [i, [x, y]] of places.entries()) {
    await page.mouse.move(box.x + x * box.width, box.y + y * box.height, { steps: i === 0 ? 1 : 5 });
    if (i === 0) await page.mouse.down();
  }
  await page.mouse.up();
}
