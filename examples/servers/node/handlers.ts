/**
 * Methods as async functions and generators. What is the same for all of them is done here, once:
 * errors become a status, and a stream is written no faster than its client reads.
 */
import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import {
  create,
  type DescMessage,
  type DescMethod,
  type DescService,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import {
  Metadata,
  type MethodDefinition,
  type sendUnaryData,
  type Server,
  type ServerDuplexStream,
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  status,
  type UntypedHandleCall,
} from "@grpc/grpc-js";
import { log } from "./log.ts";
import { Problem } from "./problem.ts";

/** What a handler knows of its call. */
export interface Context {
  /** Aborted when the client has cancelled, or its deadline has passed. */
  signal: AbortSignal;
  /** Metadata to send after the last message. */
  trailer: Metadata;
}

type Handler<M> = M extends { methodKind: infer K; input: infer I extends DescMessage; output: infer O extends DescMessage }
  ? (
      request: K extends "client_streaming" | "bidi_streaming" ? AsyncIterable<MessageShape<I>> : MessageShape<I>,
      context: Context,
    ) => K extends "server_streaming" | "bidi_streaming" ? AsyncIterable<MessageInitShape<O>> : Promise<MessageInitShape<O>>
  : never;

/** A function or generator for each method of a service. */
export type Implementation<S extends DescService> = { [K in keyof S["method"]]: Handler<S["method"][K]> };

/** Below, the types are those of the descriptor. */
type Message = any;
type Run = (request: Message, context: Context) => Message;

/** Adds a service; `name` is for one that has another name with the same messages. */
export function addService<S extends DescService>(
  server: Server, service: S, implementation: Implementation<S>, name: string = service.typeName,
): void {
  const definition: Record<string, MethodDefinition<Message, Message>> = {};
  const handlers: Record<string, UntypedHandleCall> = {};
  for (const method of service.methods) {
    const path = `/${name}/${method.name}`;
    definition[method.localName] = {
      path,
      requestStream: method.methodKind === "client_streaming" || method.methodKind === "bidi_streaming",
      responseStream: method.methodKind === "server_streaming" || method.methodKind === "bidi_streaming",
      requestSerialize: (message: Message) => Buffer.from(toBinary(method.input, message)),
      requestDeserialize: (bytes) => fromBinary(method.input, bytes),
      responseSerialize: (message: Message) => Buffer.from(toBinary(method.output, create(method.output, message))),
      responseDeserialize: (bytes) => fromBinary(method.output, bytes),
    };
    handlers[method.localName] = handler(method, path, implementation[method.localName as keyof S["method"]] as Run);
  }
  server.addService(definition, handlers);
}

function handler({ methodKind }: DescMethod, path: string, run: Run): UntypedHandleCall {
  switch (methodKind) {
    case "unary":
      return (call: ServerUnaryCall<Message, Message>, reply: sendUnaryData<Message>) =>
        answer(call, path, reply, (context) => run(call.request, context));
    case "client_streaming":
      return (call: ServerReadableStream<Message, Message>, reply: sendUnaryData<Message>) =>
        answer(call, path, reply, (context) => run(messages(call), context));
    case "server_streaming":
      return (call: ServerWritableStream<Message, Message>) =>
        stream(call, path, (context) => run(call.request, context));
    case "bidi_streaming":
      return (call: ServerDuplexStream<Message, Message>) =>
        stream(call, path, (context) => run(messages(call), context));
  }
}

/** By itself a loop that ends early would destroy the call, and its client would get no status. */
const messages = (call: Readable) => call.iterator({ destroyOnReturn: false });

async function answer(
  call: NodeJS.EventEmitter, path: string, reply: sendUnaryData<Message>, run: (context: Context) => Promise<Message>,
): Promise<void> {
  const context = contextOf(call);
  try {
    reply(null, await run(context), context.trailer);
  } catch (error) {
    reply(statusOf(error, path, context));
  }
}

async function stream(
  call: Writable & { end(trailer?: Metadata): void }, path: string, run: (context: Context) => AsyncIterable<Message>,
): Promise<void> {
  const context = contextOf(call);
  try {
    for await (const message of run(context)) {
      if (context.signal.aborted) return;
      // Waits until the client has read, so that no messages pile up.
      if (!call.write(message)) await once(call, "drain", { signal: context.signal });
    }
    call.end(context.trailer);
  } catch (error) {
    // Not destroy(error): that ends the stream without a status, and the client waits.
    if (!context.signal.aborted) call.emit("error", statusOf(error, path, context));
  }
}

function contextOf(call: NodeJS.EventEmitter): Context {
  const end = new AbortController();
  call.once("cancelled", () => end.abort(new Problem(status.CANCELLED, "the call has ended")));
  return { signal: end.signal, trailer: new Metadata() };
}

/** INTERNAL for everything that is not a Problem: the log has the cause, the client does not get it. */
function statusOf(error: unknown, path: string, { signal }: Context): Problem {
  if (error instanceof Problem) return error;
  if (!signal.aborted) {
    log("error", "a handler has failed", { method: path, cause: error instanceof Error ? error.stack : String(error) });
  }
  return new Problem(status.INTERNAL, "internal error");
}
