// Calls a service by what its client ConfigMap says, until the file "stop" exists.
// Prints one JSON line: how many calls were made, and the code of each that failed by second.
import { existsSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import grpc from "@grpc/grpc-js";

const stop = new URL("stop", import.meta.url);
const client = new grpc.Client(process.env.GRPC_TARGET, grpc.credentials.createInsecure(), {
  "grpc.service_config": process.env.GRPC_SERVICE_CONFIG,
});

function check() {
  const deadline = Date.now() + 10_000;
  const raw = (bytes) => bytes;
  return new Promise((resolve) => {
    client.makeUnaryRequest(
      "/grpc.health.v1.Health/Check", raw, raw, Buffer.alloc(0), { deadline }, resolve,
    );
  });
}

const failed = {};
let calls = 0;
const began = Date.now();
while (!existsSync(stop)) {
  calls += 1;
  const error = await check();
  if (error) {
    const key = `${Math.floor((Date.now() - began) / 1000)} s ${grpc.status[error.code]}`;
    failed[key] = (failed[key] ?? 0) + 1;
  }
  await setTimeout(20);
}
console.log(JSON.stringify({ calls, failed }));
client.close();
// A connection that is being made to a pod that is gone would keep the process for minutes.
process.exit();
