import type { Creation, User } from "./users.ts";

/**
 * Keeps users. Its methods give up when the signal is aborted; every error that a client should see is
 * a Problem.
 */
export interface Repository {
  get(id: string, signal: AbortSignal): Promise<User>;
  /**
   * Stores all users or none. A creation with the id of an earlier request gets the answer of that
   * one.
   */
  create(creations: Creation[], signal: AbortSignal): Promise<User[]>;
  /** Replaces a user by what `change` makes of it. */
  update(id: string, change: (user: User) => User, signal: AbortSignal): Promise<User>;
  /**
   * Stores what `decide` makes of the user with the id or, where that is empty, the address: of
   * undefined when there is none. Returns the user before and after.
   */
  upsert(
    id: string, email: string, decide: (known: User | undefined) => User, signal: AbortSignal,
  ): Promise<[before: User | undefined, after: User]>;
  delete(id: string, signal: AbortSignal): Promise<void>;
  /** Returns users in the order of their creation; an empty token asks for the first page. */
  list(size: number, token: string, signal: AbortSignal): Promise<Page>;
}

/** A part of a list; the token is empty for the last one. */
export interface Page {
  users: User[];
  nextToken: string;
}
