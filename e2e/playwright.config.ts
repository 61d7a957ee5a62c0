import { defineConfig } from "@playwright/test";
import { args, executablePath } from "./lib/chromium.ts";

/** Few people and no clock: these run beside the pictures of all pages. */
const light = ["codecs", "consent", "devices", "keyboard", "measure", "oneport", "replay", "sizes"].map(
  (name) => `${name}.spec.ts`,
);
const pages = "pages.spec.ts"; // takes longest, so it begins first

// Three browsers that encode and decode video are as much as two cores carry: these run one after the other. Firefox needs a network of
// its own (scripts/apart).
const inTurn = { name: "calls", testMatch: "*.spec.ts", testIgnore: [pages, ...light, "network.spec.ts"], workers: 1 };

export default defineConfig({
  testDir: ".",
  ...(process.env.MEDIA_HOST
    ? { projects: [{ name: "networks", testMatch: "network.spec.ts" }] }
    : {
        globalSetup: "./lib/begin.ts",
        projects: [
          { name: "pages", testMatch: pages },
          { name: "light", testMatch: light },
          { ...inTurn, dependencies: ["pages", "light"] },
        ],
      }),
  workers: 2,
  fullyParallel: false,
  retries: 0,
  timeout: 240_000,
  expect: { timeout: 20_000 },
  reporter: [["list"]],
  outputDir: "test-results",
  use: { actionTimeout: 20_000, screenshot: "only-on-failure", launchOptions: { executablePath, args } },
});
