/**
 * Calls users, products and orders: every kind of call, and what can fail. The targets come from
 * the client ConfigMaps: USERS_GRPC_TARGET, USERS_GRPC_SERVICE_CONFIG, and the same for PRODUCTS_
 * and ORDERS_. It watches the orders in the end, until SIGTERM or Ctrl-C.
 */
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { type CallOptions, type Client, type ClientUnaryCall, Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { BadRequest, ErrorInfo } from "./gen/google/rpc/error_details.js";
import { Status } from "./gen/google/rpc/status.js";
import { CreateOrderRequest, OrderServiceClient, WatchOrdersRequest } from "./gen/order/v1/order.js";
import { CreateProductRequest, ProductServiceClient } from "./gen/product/v1/product.js";
import { type BatchCreateUsersResponse, CreateUserRequest, ListUsersRequest, SyncUsersRequest, type SyncUsersResponse, type User, UserServiceClient } from "./gen/user/v1/user.js";
import { connect } from "./connect.js";

const CALL_SECONDS = 5, STREAM_SECONDS = 10, WATCH_SECONDS = 60;

type Callback<A> = (error: ServiceError | null, answer: A) => void;
type Unary<Q, A> = (request: Q, metadata: Metadata, options: Partial<CallOptions>, callback: Callback<A>) => ClientUnaryCall;

const say = (step: string, text: string) => console.log(step.padEnd(15) + text);
const within = (seconds: number) => ({ deadline: Date.now() + seconds * 1000 });

/** Makes a unary call; `headers` gets the initial metadata. */
function call<Q, A>(client: Client, method: Unary<Q, A>, request: Q, headers = (_: Metadata) => {}): Promise<A> {
  return new Promise((resolve, reject) => {
    const done: Callback<A> = (error, answer) => (error ? reject(error) : resolve(answer));
    method.call(client, request, new Metadata(), within(CALL_SECONDS), done).on("metadata", headers);
  });
}

/** Returns the code, and what the google.rpc details say. */
function reasons(error: ServiceError): string {
  const texts: string[] = [];
  for (const packed of error.metadata.get("grpc-status-details-bin")) {
    for (const { typeUrl, value } of Status.decode(packed as Buffer).details) {
      if (typeUrl.endsWith("/google.rpc.BadRequest")) {
        texts.push(...BadRequest.decode(value).fieldViolations.map((f) => `${f.field} ${f.description}`));
      } else if (typeUrl.endsWith("/google.rpc.ErrorInfo")) {
        texts.push(`reason ${ErrorInfo.decode(value).reason}`);
      }
    }
  }
  return [status[error.code], ...texts.sort()].join(", ");
}

function profile(name: string): CreateUserRequest {
  return CreateUserRequest.fromPartial({ email: `${name}-${randomUUID()}@example.com`.toLowerCase(), name });
}

async function callUsers(users: UserServiceClient): Promise<User> {
  const request = { ...profile("Ada"), requestId: randomUUID() };
  const ada = (await call(users, users.createUser, request)).user!;
  say("unary", `CreateUser ${request.name}`);
  const again = (await call(users, users.createUser, request)).user!;
  say("safe retry", `the same user: ${again.id === ada.id}`);

  const instances = new Map<string, number>();
  for (let n = 0; n < 200; n++) {
    await call(users, users.getUser, { id: ada.id }, (headers) => {
      const name = headers.get("x-instance").join();
      instances.set(name, (instances.get(name) ?? 0) + 1);
    });
  }
  const shares = [...instances].sort().map(([name, count]) => `${name} ${count}`);
  say("round robin", `200 calls: ${shares.join(", ")}`);
  return ada;
}

async function streamUsers(users: UserServiceClient): Promise<void> {
  const created = await new Promise<BatchCreateUsersResponse>((resolve, reject) => {
    const done: Callback<BatchCreateUsersResponse> = (error, answer) => (error ? reject(error) : resolve(answer));
    const batch = users.batchCreateUsers(new Metadata(), within(STREAM_SECONDS), done);
    for (const name of ["Grace", "Edsger"]) batch.write(profile(name));
    batch.end();
  });
  say("client stream", `BatchCreateUsers ${created.createdCount} created`);

  const sync = users.syncUsers(new Metadata(), within(STREAM_SECONDS));
  const answers: AsyncIterator<SyncUsersResponse> = sync[Symbol.asyncIterator]();
  const { email } = profile("Barbara");
  for (const name of ["Barbara", "Barbara", "Liskov"]) {
    sync.write(SyncUsersRequest.fromPartial({ user: { email, name } }));
    const answer = await answers.next();
    if (!answer.done) say("bidi stream", `SyncUsers ${answer.value.status}`);
  }
  sync.end();
  await answers.next();

  const page = users.listUsers(ListUsersRequest.fromPartial({ pageSize: 2 }), new Metadata(), within(STREAM_SECONDS));
  let count = 0, more = false;
  page.on("status", ({ metadata }) => (more = metadata.get("next-page-token").length > 0));
  for await (const _ of page) count++;
  say("server stream", `ListUsers ${count} users, more follow: ${more}`);
}

async function callShop(products: ProductServiceClient, orders: OrderServiceClient, user: User): Promise<void> {
  const price = { currencyCode: "EUR", units: 12 };
  const lamp = CreateProductRequest.fromPartial({ name: "A lamp", price, stockQuantity: 5, requestId: randomUUID() });
  const { id } = (await call(products, products.createProduct, lamp)).product!;
  const order = (quantity: number) => {
    const items = [{ productId: id, quantity }];
    const request = CreateOrderRequest.fromPartial({ userId: user.id, items, requestId: randomUUID() });
    return call(orders, orders.createOrder, request);
  };
  const placed = (await order(2)).order!;
  const found = (await call(products, products.getProduct, { id })).product!;
  say("order", `${placed.status}, ${found.reservedQuantity} reserved`);
  for (const quantity of [0, 100]) {
    await order(quantity).catch((error: ServiceError) => say("error", `CreateOrder ${reasons(error)}`));
  }
  try {
    const states = products.watchStock({ productIds: [id] }, new Metadata(), within(2));
    for await (const state of states) say("deadline", `WatchStock ${state.stockQuantity} in stock`);
  } catch (error) {
    say("deadline", `WatchStock ${status[(error as ServiceError).code]}`);
  }
}

/**
 * Follows the user's orders until a signal. A stream that ends is begun again where it was: nothing
 * is lost.
 */
async function watch(orders: OrderServiceClient, user: User): Promise<void> {
  const end = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"]) once(process, signal).then(() => end.abort());
  let afterSequence = 0;
  while (!end.signal.aborted) {
    const request = WatchOrdersRequest.fromPartial({ afterSequence, userId: user.id });
    const events = orders.watchOrders(request, new Metadata(), within(WATCH_SECONDS));
    end.signal.onabort = () => events.cancel();
    try {
      for await (const event of events) {
        afterSequence = event.sequence;
        if (event.order) say("watch", event.order.status);
      }
    } catch (error) {
      if (end.signal.aborted) return;
      const { code } = error as ServiceError;
      if (code !== status.UNAVAILABLE && code !== status.DEADLINE_EXCEEDED) throw error;
      await sleep(1000, undefined, { signal: end.signal }).catch(() => {});
    }
  }
}

const clients: Client[] = [];
try {
  const users = connect(UserServiceClient, "USERS_");
  const products = connect(ProductServiceClient, "PRODUCTS_");
  const orders = connect(OrderServiceClient, "ORDERS_");
  clients.push(users, products, orders);
  const ada = await callUsers(users);
  await streamUsers(users);
  await callShop(products, orders, ada);
  await watch(orders, ada);
  say("end", "watch cancelled, channels closed");
} catch (error) {
  const { code, details, message } = error as ServiceError;
  console.error(`failed: ${code === undefined ? message : `${status[code]}: ${details}`}`);
  process.exitCode = 1;
} finally {
  for (const client of clients) client.close();
}
