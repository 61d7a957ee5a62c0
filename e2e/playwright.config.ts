import { defineConfig } from "@playwright/test";
import { args, executablePath } from "./lib/chromium.ts";

// One worker: three browsers that encode and decode video are as much as two cores carry.
export default defineConfig({
  testDir: ".",
  // Firefox needs a network of its own: scripts/apart.
  ...(process.env.MEDIA_HOST
    ? { testMatch: "network.spec.ts" }
    : { testMatch: "*.spec.ts", testIgnore: "network.spec.ts" }),
  globalSetup: "./lib/begin.ts",
  workers: 1,
  fullyParallel: false,
  retries: 0,
  timeout: 240_000,
  expect: { timeout: 20_000 },
  reporter: [["list"]],
  outputDir: "test-results",
  use: { actionTimeout: 20_000, screenshot: "only-on-failure", launchOptions: { executablePath, args } },
});
