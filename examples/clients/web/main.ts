/**
 * Lists and creates users by gRPC-Web, through the gateway that `?gateway=http://HOST:PORT` names.
 * The GrpcService must allow this page's origin: spec.gateway.cors.allowOrigins.
 */
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { BadRequestSchema, ErrorInfoSchema } from "./gen/google/rpc/error_details_pb";
import { type User, UserService } from "./gen/user/v1/user_pb";

const gateway = new URLSearchParams(location.search).get("gateway") ?? location.origin;
const users = createClient(
  UserService,
  createGrpcWebTransport({ baseUrl: gateway, defaultTimeoutMs: 5000 }), // sent as grpc-timeout
);

const form = document.querySelector<HTMLFormElement>("#create")!;
const list = document.querySelector<HTMLUListElement>("#users")!;
const more = document.querySelector<HTMLButtonElement>("#more")!;
const line = document.querySelector<HTMLParagraphElement>("#status")!;
let pageToken = "";

function show(user: User): void {
  const item = document.createElement("li");
  item.textContent = `${user.name} <${user.email}>`;
  list.append(item);
}

/** Returns the status of a failed call, and what its google.rpc details say. */
function reasons(error: unknown): string {
  const failed = ConnectError.from(error);
  const fields = failed
    .findDetails(BadRequestSchema)
    .flatMap((detail) => detail.fieldViolations)
    .map(({ field, description }) => `${field} ${description}`);
  const texts = fields.length ? fields : [failed.rawMessage];
  for (const { reason } of failed.findDetails(ErrorInfoSchema)) texts.push(`reason ${reason}`);
  return `gRPC status ${failed.code} ${Code[failed.code]}: ${texts.join(", ")}`;
}

/** Does something and shows how it went. */
async function report(work: () => Promise<string>): Promise<void> {
  line.textContent = "...";
  line.textContent = await work().catch(reasons);
}

/** Adds the next page to the list, each user as it arrives: a server stream. */
async function next(): Promise<string> {
  let following = "";
  const onTrailer = (trailers: Headers) => (following = trailers.get("next-page-token") ?? "");
  for await (const user of users.listUsers({ pageSize: 3, pageToken }, { onTrailer })) show(user);
  pageToken = following;
  more.hidden = !following;
  return `${list.children.length} users`;
}

async function create(): Promise<string> {
  const data = new FormData(form);
  const [name, email] = ["name", "email"].map((field) => String(data.get(field)));
  // With a request id the call may be sent again when its answer was lost.
  const { user } = await users.createUser({ name, email, requestId: crypto.randomUUID() });
  if (user && more.hidden) show(user); // else it comes with the last page
  form.reset();
  return `created ${user?.name}`;
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  void report(create);
});
more.addEventListener("click", () => void report(next));
void report(next);
