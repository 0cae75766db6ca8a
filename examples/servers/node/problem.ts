import { status } from "@grpc/grpc-js";

/** An error that the client gets: grpc-js sends `code` and `details`. */
export class Problem extends Error {
  readonly code: status;
  readonly details: string;

  constructor(code: status, details: string) {
    super(details);
    this.code = code;
    this.details = details;
  }
}

export const invalid = (details: string) => new Problem(status.INVALID_ARGUMENT, details);

/** Returns the error for the message at a position of its stream. */
export function at(position: number, error: unknown): unknown {
  return error instanceof Problem ? new Problem(error.code, `entry ${position}: ${error.details}`) : error;
}
