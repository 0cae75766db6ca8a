import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { create, type DescMethod, fromBinary, toBinary } from "@bufbuild/protobuf";
import { Client, credentials, Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { UserService } from "./gen/user/v1/user_pb.js";
import type { Repository } from "./repository.ts";
import { UserServer } from "./server.ts";

const SOME_ID = "123e4567-e89b-42d3-a456-426614174000";

/** A repository with faults. */
const FAULTY = {
  get() {
    throw new Error("secret of the code");
  },
  async delete() {
    throw new Error("secret of the database");
  },
  async list() {
    throw new Error("secret of the list");
  },
  update: (_id: string, _change: unknown, signal: AbortSignal) =>
    new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
} as unknown as Repository;

/** Makes a call with one request; returns its error. */
function failure(client: Client, method: DescMethod, request: Record<string, unknown>, deadline = Date.now() + 60_000): Promise<ServiceError> {
  const serialize = () => Buffer.from(toBinary(method.input, create(method.input, request)));
  const deserialize = (bytes: Buffer) => fromBinary(method.output, bytes);
  const path = `/${method.parent.typeName}/${method.name}`;
  return new Promise((resolve, reject) => {
    const none = () => reject(new Error(`${method.name} has not failed`));
    if (method.methodKind === "unary") {
      const done = (error: ServiceError | null) => (error ? resolve(error) : none());
      client.makeUnaryRequest(path, serialize, deserialize, request, new Metadata(), { deadline }, done);
    } else {
      const call = client.makeServerStreamRequest(path, serialize, deserialize, request, new Metadata(), { deadline });
      call.on("error", resolve).on("data", none);
    }
  });
}

test("faults are INTERNAL, and the server serves on", async (context: TestContext) => {
  const written = context.mock.method(console, "error", () => {});
  const server = new UserServer(FAULTY, "");
  const client = new Client(`localhost:${await server.listen(0)}`, credentials.createInsecure());
  const { getUser, listUsers, deleteUser, updateUser } = UserService.method;

  for (const [method, request] of [[getUser, { id: SOME_ID }], [listUsers, {}], [deleteUser, { id: SOME_ID }]] as const) {
    const { code, details } = await failure(client, method, request);
    assert.deepEqual([method.name, status[code], details], [method.name, "INTERNAL", "internal error"]);
  }
  const late = await failure(client, updateUser, { id: SOME_ID }, Date.now() + 50);
  assert.equal(status[late.code], "DEADLINE_EXCEEDED");

  client.close();
  await server.drain(0, 60);
  const log = written.mock.calls.map((call) => String(call.arguments[0])).join("\n");
  for (const secret of ["secret of the code", "secret of the list", "secret of the database"]) {
    assert.equal(log.split(`"cause":"Error: ${secret}`).length, 2, log);
  }
  assert.equal(log.split('"code":"INTERNAL"').length, 4, log);
});

test("a call that does not end gets a status at the limit of the drain", async (context: TestContext) => {
  context.mock.method(console, "error", () => {});
  const started = Promise.withResolvers<void>();
  const update = () => {
    started.resolve();
    return new Promise(() => {});
  };
  const server = new UserServer({ update } as unknown as Repository, "");
  const client = new Client(`localhost:${await server.listen(0)}`, credentials.createInsecure());
  const running = failure(client, UserService.method.updateUser, { id: SOME_ID });
  await started.promise;

  await server.drain(0, 1);
  const { code, details } = await running;
  assert.deepEqual([status[code], details.slice(0, 15)], ["UNAVAILABLE", "the server ends"]);
  client.close();
});
