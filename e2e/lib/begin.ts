// Before the tests: a server is started for the first time, and prepares the practice clip. Those under test begin with a copy of its data,
// so that no test waits for that again, nor is slowed down by it.
import { rm } from "node:fs/promises";
import { newFolder, Server } from "./server.ts";

export default async function begin(): Promise<() => Promise<void>> {
  const folder = await newFolder();
  const server = await Server.start(folder);
  await server.says("clip is ready");
  await server.stop();
  process.env.BEGUN = folder; // for the tests' processes
  return () => rm(folder, { recursive: true, force: true });
}
