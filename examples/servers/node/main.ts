/**
 * The user service in Node.js without the service kit: health, reflection, interceptors for every kind
 * of call, and an end that fails no calls.
 */
import { once } from "node:events";
import { log } from "./log.ts";
import { Memory } from "./memory.ts";
import { UserServer } from "./server.ts";
import { readSettings } from "./settings.ts";

const settings = readSettings(process.env);
if (Array.isArray(settings)) {
  console.error(settings.join("\n"));
  process.exit(2);
}
const server = new UserServer(new Memory(), settings.token);
const stop = Promise.race(["SIGTERM", "SIGINT"].map((signal) => once(process, signal)));
try {
  log("info", `serving on port ${await server.listen(settings.port)}`);
} catch (error) {
  log("error", `PORT: cannot listen on ${settings.port}: ${error}`);
  process.exit(1);
}
await stop;
await server.drain(settings.lameDuckSeconds, settings.drainSeconds - settings.lameDuckSeconds);
log("info", "stopped");
process.exit(0);
