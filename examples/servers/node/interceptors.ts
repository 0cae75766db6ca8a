import { createHash, timingSafeEqual } from "node:crypto";
import { type Metadata, ServerInterceptingCall, type ServerInterceptor, status } from "@grpc/grpc-js";
import { log } from "./log.ts";

const HEALTH = "/grpc.health.v1.Health/";
export const WATCH = `${HEALTH}Watch`;

/** Whether a method is called by the kubelet and the gateway, which have no token. */
const infrastructure = (path: string) => path.startsWith(HEALTH) || path.startsWith("/grpc.reflection.");

/** Writes a line for each call, with the code that the client gets. */
export const logging: ServerInterceptor = (method, call) => {
  const start = performance.now();
  let written = infrastructure(method.path);
  const write = (code: status) => {
    if (written) return;
    written = true;
    const seconds = (performance.now() - start) / 1000;
    log("info", "call", { method: method.path, code: status[code], seconds, peer: call.getPeer() });
  };
  // After a status, too; by itself when the client has gone, or its deadline has passed.
  const onCancel = () => write(Date.now() < Number(call.getDeadline()) ? status.CANCELLED : status.DEADLINE_EXCEEDED);
  return new ServerInterceptingCall(call, {
    start: (next) => next({ onCancel }),
    sendStatus: (sent, next) => {
      write(sent.code ?? status.UNKNOWN);
      next(sent);
    },
  });
};

/** Requires a bearer token, unless it is empty. A real service verifies signed tokens here. */
export function authentication(token: string): ServerInterceptor {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  const want = digest(token);
  return (method, call) => {
    if (token === "" || infrastructure(method.path)) return new ServerInterceptingCall(call);
    return new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata: (metadata, accept) => {
            // Of equal length, so that the comparison takes the same time for every token.
            if (timingSafeEqual(digest(bearer(metadata)), want)) return accept(metadata);
            const details = "authorization: send the metadata authorization: Bearer TOKEN";
            call.sendStatus({ code: status.UNAUTHENTICATED, details });
          },
        }),
    });
  };
}

function bearer(metadata: Metadata): string {
  const [value, ...more] = metadata.get("authorization");
  const found = more.length === 0 ? /^bearer +(.+)$/i.exec(String(value ?? "")) : null;
  return found?.[1] ?? "";
}

/** The calls that run, which can be ended from outside of their handlers. */
export class OpenCalls {
  readonly #open = new Map<ServerInterceptingCall, string>();

  readonly interceptor: ServerInterceptor = (method, call) => {
    const tracked: ServerInterceptingCall = new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata: (metadata, accept) => {
            this.#open.set(tracked, method.path);
            accept(metadata);
          },
          // Is called at the end of each call, whatever its status.
          onCancel: () => this.#open.delete(tracked),
        }),
    });
    return tracked;
  };

  /** Ends the calls whose path is wanted with UNAVAILABLE. */
  end(wanted: (path: string) => boolean): void {
    const details = "the server ends; call again, another one answers";
    for (const [call, path] of this.#open) {
      if (wanted(path)) call.sendStatus({ code: status.UNAVAILABLE, details });
    }
  }
}
