import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { status } from "@grpc/grpc-js";
import { at, invalid, Problem } from "./problem.ts";
import type { Page, Repository } from "./repository.ts";
import type { Creation, User } from "./users.ts";

/** Users, and requests that are remembered. */
const LIMIT = 100_000;
const REQUEST_ID_LIFETIME = 24 * 3600 * 1000;
const NUMBER_BYTES = 8;

interface Row {
  readonly number: number;
  user: User;
}

/** Keeps users until the process ends. Each replica has its own users, so run one. */
export class Memory implements Repository {
  /** In the order of their numbers. */
  readonly #rows: Row[] = [];
  readonly #byId = new Map<string, Row>();
  /** By the address in lower case (ASCII). */
  readonly #byEmail = new Map<string, Row>();
  /** The first answers to requests with an id, oldest first. */
  readonly #answers = new Map<string, User>();
  readonly #tokenKey = randomBytes(32);
  #last = 0;

  async get(id: string, signal: AbortSignal): Promise<User> {
    signal.throwIfAborted();
    return this.#row(id).user;
  }

  async create(creations: Creation[], signal: AbortSignal): Promise<User[]> {
    signal.throwIfAborted();
    this.#forgetRequests();
    if (this.#rows.length + creations.length > LIMIT || this.#answers.size + creations.length > LIMIT) throw full();
    const made: User[] = [];
    const added: Creation[] = [];
    const emails = new Set<string>();
    for (const [position, creation] of creations.entries()) {
      try {
        const first = this.#firstAnswer(creation);
        const email = lower(creation.user.email);
        if (!first && (this.#byEmail.has(email) || emails.has(email))) throw taken(creation.user.email);
        made.push(first ?? creation.user);
        if (first) continue;
        emails.add(email);
        added.push(creation);
      } catch (error) {
        throw creations.length > 1 ? at(position, error) : error;
      }
    }
    for (const { user, requestId } of added) {
      this.#add(user);
      if (requestId) this.#answers.set(requestId, user);
    }
    return made;
  }

  async update(id: string, change: (user: User) => User, signal: AbortSignal): Promise<User> {
    signal.throwIfAborted();
    const row = this.#row(id);
    return this.#replace(row, change(row.user));
  }

  async upsert(
    id: string, email: string, decide: (known: User | undefined) => User, signal: AbortSignal,
  ): Promise<[User | undefined, User]> {
    signal.throwIfAborted();
    const row = id ? this.#byId.get(id) : this.#byEmail.get(lower(email));
    const before = row?.user;
    const after = decide(before);
    if (row) return [before, this.#replace(row, after)];
    if (this.#byEmail.has(lower(after.email))) throw taken(after.email);
    if (this.#rows.length >= LIMIT) throw full();
    this.#add(after);
    return [undefined, after];
  }

  async delete(id: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const row = this.#row(id);
    this.#byId.delete(id);
    this.#byEmail.delete(lower(row.user.email));
    this.#rows.splice(this.#positionAfter(row.number - 1), 1);
  }

  async list(size: number, token: string, signal: AbortSignal): Promise<Page> {
    signal.throwIfAborted();
    const start = this.#positionAfter(token ? this.#open(token) : 0);
    const rows = this.#rows.slice(start, start + size);
    const last = rows.at(-1);
    const more = start + size < this.#rows.length;
    return { users: rows.map(({ user }) => user), nextToken: last && more ? this.#seal(last.number) : "" };
  }

  #row(id: string): Row {
    const row = this.#byId.get(id);
    if (!row) throw new Problem(status.NOT_FOUND, `id: no user has the id ${id}`);
    return row;
  }

  /** Returns where the first row with a higher number is, or would be. */
  #positionAfter(number: number): number {
    let from = 0;
    let to = this.#rows.length;
    while (from < to) {
      const middle = (from + to) >> 1;
      if (this.#rows[middle]!.number > number) to = middle;
      else from = middle + 1;
    }
    return from;
  }

  #add(user: User): void {
    const row = { number: ++this.#last, user };
    this.#rows.push(row);
    this.#byId.set(user.id, row);
    this.#byEmail.set(lower(user.email), row);
  }

  #replace(row: Row, user: User): User {
    const owner = this.#byEmail.get(lower(user.email));
    if (owner && owner !== row) throw taken(user.email);
    this.#byEmail.delete(lower(row.user.email));
    this.#byEmail.set(lower(user.email), row);
    row.user = user;
    return user;
  }

  #firstAnswer({ user, requestId }: Creation): User | undefined {
    const first = this.#answers.get(requestId);
    if (first && (first.email !== user.email || first.name !== user.name || first.role !== user.role)) {
      const details = `request_id: ${requestId} was used to create another user; send a new UUID for each user`;
      throw new Problem(status.ALREADY_EXISTS, details);
    }
    return first;
  }

  #forgetRequests(): void {
    for (const [id, { createdAt }] of this.#answers) {
      if (Date.now() - createdAt <= REQUEST_ID_LIFETIME) break;
      this.#answers.delete(id);
    }
  }

  /** Returns the token of a position. Its signature keeps clients from making one up. */
  #seal(position: number): string {
    const bytes = Buffer.alloc(NUMBER_BYTES);
    bytes.writeBigUInt64BE(BigInt(position));
    return Buffer.concat([bytes, this.#signature(bytes)]).toString("base64url");
  }

  #open(token: string): number {
    const bytes = Buffer.from(token, "base64url");
    const number = bytes.subarray(0, NUMBER_BYTES);
    const signature = bytes.subarray(NUMBER_BYTES);
    const right = this.#signature(number);
    if (signature.length !== right.length || !timingSafeEqual(signature, right)) {
      throw invalid(
        "page_token: is not a token of this service; send the token that came with the page before, or leave it empty for the first page",
      );
    }
    return Number(number.readBigUInt64BE());
  }

  #signature(bytes: Uint8Array): Buffer {
    return createHmac("sha256", this.#tokenKey).update(bytes).digest();
  }
}

const taken = (email: string) =>
  new Problem(status.ALREADY_EXISTS, `email: ${email} belongs to another user; send an address not in use`);

const full = () =>
  new Problem(status.RESOURCE_EXHAUSTED, `this server keeps at most ${LIMIT} users; delete some, or use a database`);

const lower = (email: string) => email.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
