// Drawn people and a drawn classroom, so that pictures of the pages show what they are for. Chromium plays a Motion JPEG file as
// its camera.
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Browser } from "@playwright/test";

const run = promisify(execFile);

export interface Look {
  wall: string;
  skin: string;
  hair: string;
  clothes: string;
  /** the hair's outline, in a 640 × 480 picture whose head is at 320, 210 */
  shape: string;
}

export const looks: Record<"amara" | "tomasz" | "mei" | "leila", Look> = {
  amara: {
    wall: "#efe6d8",
    skin: "#6f4630",
    hair: "#1f1613",
    clothes: "#2f6f72",
    shape:
      "M320 60c-110 0-150 80-140 160 0 50 30 70 50 60l10-80c60 0 120-10 150-40l10 120c30 10 60-10 62-60C472 140 430 60 320 60z",
  },
  tomasz: {
    wall: "#dfe4e4",
    skin: "#e0ae8c",
    hair: "#8d8478",
    clothes: "#3d4a63",
    shape: "M232 200c-8-90 40-118 92-118s92 30 84 118c-14-40-30-58-84-58s-78 18-92 58z",
  },
  mei: {
    wall: "#ece4dc",
    skin: "#e6bd9c",
    hair: "#17130f",
    clothes: "#b98b7c",
    shape:
      "M320 84c-86 0-104 70-102 150l-8 120 52 8c-16-70-14-130 8-164 40 4 90-14 110-38 16 30 12 130-6 202l52-8-4-120C424 150 402 84 320 84z",
  },
  leila: {
    wall: "#e6e2d4",
    skin: "#d9a684",
    hair: "#8aa08a",
    clothes: "#7d927d",
    shape:
      "M320 76c-96 0-120 74-114 160 4 80-30 140-40 244h308c-10-104-44-164-40-244 6-86-18-160-114-160zm0 56c50 0 76 44 74 92-2 62-34 104-74 104s-72-42-74-104c-2-48 24-92 74-92z",
  },
};

const portrait = (l: Look) => `<svg xmlns="http://www.w3.org/2000/svg" width="640" height="480" viewBox="0 0 640 480">
<defs><radialGradient id="g" cx=".3" cy=".2" r="1"><stop offset="0" stop-color="#fff" stop-opacity=".55"/><stop offset="1" stop-color="#000" stop-opacity=".12"/></radialGradient></defs>
<rect width="640" height="480" fill="${l.wall}"/><rect x="440" y="60" width="150" height="110" rx="6" fill="#fff" opacity=".5"/><rect width="640" height="480" fill="url(#g)"/>
<path d="M110 480c0-96 90-130 160-140h100c70 10 160 44 160 140z" fill="${l.clothes}"/>
<path d="M280 300h80v50c-20 28-60 28-80 0z" fill="${l.skin}"/><ellipse cx="320" cy="226" rx="80" ry="100" fill="${l.skin}"/>
<path d="${l.shape}" fill="${l.hair}" fill-rule="evenodd"/>
<g fill="#241b16"><ellipse cx="290" cy="226" rx="8" ry="6"/><ellipse cx="350" cy="226" rx="8" ry="6"/></g>
<path d="M292 276q28 18 56 0" fill="none" stroke="#241b16" stroke-opacity=".7" stroke-width="5" stroke-linecap="round"/></svg>`;

const child = (x: number, y: number, s: number, hair: string, shirt: string) =>
  `<g transform="translate(${x} ${y}) scale(${s})"><path d="M-70 130c0-70 30-90 70-90s70 20 70 90z" fill="${shirt}"/><circle r="42" fill="${hair}"/></g>`;

const classroom = `<svg xmlns="http://www.w3.org/2000/svg" width="1280" height="720" viewBox="0 0 1280 720">
<rect width="1280" height="720" fill="#ece3d3"/><path d="M0 470h1280v250H0z" fill="#d3bd99"/>
<rect x="40" y="90" width="150" height="230" rx="6" fill="#cfe0e4"/><path d="M115 90v230M40 205h150" stroke="#fff" stroke-width="8"/>
<rect x="300" y="70" width="430" height="270" rx="6" fill="#fbfaf6" stroke="#b9ad9a" stroke-width="8"/>
<g><rect x="330" y="100" width="370" height="34" fill="#7fa9a6"/><rect x="330" y="142" width="181" height="34" fill="#d29d84"/><rect x="519" y="142" width="181" height="34" fill="#d29d84"/><rect x="330" y="184" width="119" height="34" fill="#9088bd"/><rect x="455" y="184" width="119" height="34" fill="#9088bd"/><rect x="580" y="184" width="120" height="34" fill="#9088bd"/></g>
<path d="M340 270q20-14 40 0t40 0 40 0 40 0" fill="none" stroke="#4c5a63" stroke-width="5"/>
<rect x="830" y="100" width="320" height="200" rx="6" fill="#86a394"/><g fill="#f6f1e6"><rect x="850" y="120" width="60" height="76"/><rect x="930" y="120" width="60" height="76"/><rect x="1010" y="120" width="60" height="76"/><rect x="850" y="210" width="60" height="70"/><rect x="930" y="210" width="60" height="70"/></g>
<g transform="translate(640 300)"><path d="M-70 330c-10-170 0-230 50-250h50c50 20 60 80 50 250z" fill="#2f6f72"/><circle cx="10" cy="20" r="54" fill="#211815"/><ellipse cx="14" cy="36" rx="34" ry="42" fill="#6f4630"/></g>
<path d="M230 520h340l40 80H190z" fill="#e8d3ab"/><path d="M760 520h360l40 80H720z" fill="#e8d3ab"/>
<rect x="320" y="540" width="120" height="14" fill="#c98a74"/><rect x="860" y="545" width="150" height="14" fill="#5f8f93"/>
${child(310, 470, 0.8, "#6b4526", "#a3b4a2")}${child(450, 470, 0.8, "#1c1410", "#b98b7c")}${child(850, 470, 0.8, "#1d1512", "#d6c7a4")}${child(1000, 470, 0.8, "#8a5a34", "#7c93a8")}
${child(190, 640, 1.15, "#241712", "#8c6f66")}${child(470, 650, 1.15, "#9c6b3a", "#6f8a8d")}${child(760, 650, 1.2, "#1b1310", "#b6755f")}${child(1060, 650, 1.15, "#4d6d74", "#c3b393")}</svg>`;

async function draw(browser: Browser, svg: string, width: number, height: number, path: string): Promise<void> {
  const page = await browser.newPage({ viewport: { width, height } });
  await page.setContent(`<style>body{margin:0}svg{display:block}</style>${svg}`);
  await page.screenshot({ path });
  await page.close();
}

/** A camera file for Chromium's --use-file-for-fake-video-capture. */
export async function drawCamera(browser: Browser, folder: string, name: keyof typeof looks): Promise<string> {
  const still = join(folder, `${name}.png`);
  const camera = join(folder, `${name}.y4m`);
  await draw(browser, portrait(looks[name]), 640, 480, still);
  await run("ffmpeg", [
    "-v",
    "error",
    "-y",
    "-loop",
    "1",
    "-t",
    "1",
    "-r",
    "5", // a still picture; Chromium plays Motion JPEG 30 times a second
    "-i",
    still,
    "-pix_fmt",
    "yuv420p",
    camera,
  ]);
  return camera;
}

/** A short lesson: a classroom through which the camera wanders, with a quiet room tone. */
export async function drawLesson(browser: Browser, folder: string, seconds: number): Promise<string> {
  const still = join(folder, "classroom.png");
  const lesson = join(folder, "lesson.mp4");
  await draw(browser, classroom, 1280, 720, still);
  const wander = `scale=1408:792,crop=1280:720:'64+60*sin(n/200)':'36+30*cos(n/260)'`;
  await run("ffmpeg", [
    ...["-v", "error", "-y", "-loop", "1", "-framerate", "25", "-t", `${seconds}`, "-i", still],
    ...["-f", "lavfi", "-i", `anoisesrc=color=brown:amplitude=0.02:duration=${seconds}`],
    ...[
      "-vf",
      wander,
      "-c:v",
      "libx264",
      "-preset",
      "ultrafast",
      "-pix_fmt",
      "yuv420p",
      "-c:a",
      "aac",
      "-shortest",
      lesson,
    ],
  ]);
  return lesson;
}
