/** Users and their rules. Every rule that fails names the field and says how to fix it. */
import { randomUUID } from "node:crypto";
import { UserRole } from "./gen/user/v1/user_pb.js";
import { invalid } from "./problem.ts";

export const MAX_BATCH_SIZE = 1000;
const MAX_PAGE_SIZE = 1000;
const DEFAULT_PAGE_SIZE = 50;
const EMAIL_LIMIT = 254;
const NAME_LIMIT = 200;
/** Status messages are sent in a header, the size of which is limited. */
const QUOTE_LIMIT = 80;
const CONTROL = /[\x00-\x1f\x7f]/;
const UUID = /^([0-9a-f]{8})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{12})$/i;

/** One entry of the directory; times are milliseconds since 1970. */
export interface User {
  readonly id: string;
  readonly email: string;
  readonly name: string;
  readonly role: UserRole;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** What a caller may set; what is undefined, or an unspecified role, is kept. */
export interface Profile {
  email?: string | undefined;
  name?: string | undefined;
  role?: UserRole | undefined;
}

/** A user to create, and the id of the request for it: empty when it has none. */
export interface Creation {
  user: User;
  requestId: string;
}

/** Returns a valid user, under a random id unless one is given. */
export function newUser({ email = "", name = "", role }: Profile, id = ""): User {
  const now = Date.now();
  return {
    id: id || randomUUID(),
    email: checkedEmail(email),
    name: checkedName(name),
    role: role ? checkedRole(role) : UserRole.MEMBER,
    createdAt: now,
    updatedAt: now,
  };
}

/** Returns the user with the fields that are given: the same object when none of them differs. */
export function changed(user: User, { email, name, role }: Profile): User {
  const made = {
    ...user,
    email: email === undefined ? user.email : checkedEmail(email),
    name: name === undefined ? user.name : checkedName(name),
    role: role ? checkedRole(role) : user.role,
  };
  if (made.email === user.email && made.name === user.name && made.role === user.role) return user;
  // Later than before, also within a millisecond.
  return { ...made, updatedAt: Math.max(Date.now(), user.updatedAt + 1) };
}

export function checkedRole(role: UserRole): UserRole {
  if (role === UserRole.ADMIN || role === UserRole.MEMBER) return role;
  throw invalid(`role: ${role} is not a role; send USER_ROLE_ADMIN or USER_ROLE_MEMBER`);
}

/** Returns the canonical spelling of a user's id: lower case with hyphens. */
export const checkedId = (id: string) => checkedUuid("id", id, "the id of a User");

export const checkedRequestId = (id: string) =>
  id && checkedUuid("request_id", id, "a new random one for each user to create");

export function checkRequestIds(creations: Creation[]): void {
  const first = new Map<string, number>();
  for (const [position, { requestId }] of creations.entries()) {
    const before = first.get(requestId);
    if (before !== undefined) {
      throw invalid(
        `entry ${position}: request_id: ${requestId} is that of entry ${before} too; send a new UUID for each user`,
      );
    }
    if (requestId) first.set(requestId, position);
  }
}

export function checkedPageSize(size: number): number {
  if (size < 0) {
    throw invalid(`page_size: ${size} is negative; send 1 to ${MAX_PAGE_SIZE}, or 0 for ${DEFAULT_PAGE_SIZE}`);
  }
  return Math.min(size || DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE);
}

function checkedEmail(email: string): string {
  const length = characters(email);
  if (length > EMAIL_LIMIT) {
    throw invalid(`email: has ${length} characters; send at most ${EMAIL_LIMIT} characters`);
  }
  if (!/^[^@\s]+@[^@\s]+$/.test(email) || CONTROL.test(email)) {
    throw invalid(`email: ${quoted(email)} is not an e-mail address; send one such as ada@example.com`);
  }
  return email;
}

function checkedName(name: string): string {
  const visible = characters(name.trim());
  if (visible === 0 || characters(name) > NAME_LIMIT) {
    throw invalid(`name: has ${visible} visible characters; send 1 to ${NAME_LIMIT} characters`);
  }
  if (CONTROL.test(name)) {
    throw invalid(`name: ${quoted(name)} has control characters; send one line of plain text`);
  }
  return name;
}

function checkedUuid(field: string, text: string, what: string): string {
  const parts = UUID.exec(text);
  if (parts) return parts.slice(1).join("-").toLowerCase();
  throw invalid(`${field}: ${quoted(text)} is not a UUID; send ${what}, such as 123e4567-e89b-42d3-a456-426614174000`);
}

/** Of Unicode; `length` counts UTF-16. */
const characters = (text: string) => [...text].length;

function quoted(text: string): string {
  const short = characters(text) > QUOTE_LIMIT ? `${[...text].slice(0, QUOTE_LIMIT).join("")}...` : text;
  return `'${JSON.stringify(short).slice(1, -1)}'`;
}
