import { setTimeout as sleep } from "node:timers/promises";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { HealthImplementation } from "grpc-health-check";
import { UserService } from "./gen/user/v1/user_pb.js";
import { addService } from "./handlers.ts";
import { authentication, logging, OpenCalls, WATCH } from "./interceptors.ts";
import { addReflection } from "./reflection.ts";
import type { Repository } from "./repository.ts";
import { userService } from "./service.ts";

/** Calls that one connection may have at a time; all clients of a gateway share a few connections. */
const MAX_STREAMS = 1000;
/** The last part of draining, in which calls that are cut off get their status. */
const FAREWELL_SECONDS = 1;

/** Does not keep the process: what is waited for does. */
const pause = (seconds: number) => sleep(seconds * 1000, undefined, { ref: false });

/** A gRPC server with what it needs to end. */
export class UserServer {
  readonly #calls = new OpenCalls();
  // The empty name is the process itself.
  readonly #health = new HealthImplementation({ "": "SERVING", [UserService.typeName]: "SERVING" });
  readonly #grpc: Server;

  constructor(users: Repository, token: string) {
    this.#grpc = new Server({
      // The first one is next to the network, and sees the status that the client gets.
      interceptors: [logging, this.#calls.interceptor, authentication(token)],
      "grpc.max_concurrent_streams": MAX_STREAMS,
    });
    addService(this.#grpc, UserService, userService(users));
    this.#health.addToServer(this.#grpc);
    addReflection(this.#grpc);
  }

  /** Serves, and returns the port. */
  listen(port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      // All addresses: the kubelet and the proxies come from other ones.
      this.#grpc.bindAsync(`[::]:${port}`, ServerCredentials.createInsecure(), (error, bound) =>
        error ? reject(error) : resolve(bound),
      );
    });
  }

  /**
   * Ends the server: health is NOT_SERVING at once, calls are still taken while clients and load
   * balancers notice, then running calls get the rest of the time.
   */
  async drain(lameDuckSeconds: number, restSeconds: number): Promise<void> {
    for (const name of ["", UserService.typeName]) this.#health.setStatus(name, "NOT_SERVING");
    await pause(lameDuckSeconds);
    const done = new Promise<void>((resolve) => this.#grpc.tryShutdown(() => resolve()));
    // Clients keep watches open for as long as they have the connection: tryShutdown would wait.
    this.#calls.end((path) => path === WATCH);
    const farewell = Math.min(FAREWELL_SECONDS, restSeconds / 2);
    await Promise.race([done, pause(restSeconds - farewell)]);
    this.#calls.end(() => true);
    await Promise.race([done, pause(farewell)]);
    this.#grpc.forceShutdown();
  }
}
