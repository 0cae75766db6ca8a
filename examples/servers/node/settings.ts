/** What the environment says; the operator sets GRPC_DRAIN_SECONDS. */
export interface Settings {
  port: number;
  token: string;
  /** From SIGTERM to the end. */
  drainSeconds: number;
  /** The first part of the drain: NOT_SERVING, and calls are still taken. */
  lameDuckSeconds: number;
}

/** Returns the settings, or a line for every variable with a wrong value. */
export function readSettings(environment: Record<string, string | undefined>): Settings | string[] {
  const problems: string[] = [];
  const number = (name: string, unset: number, most: number) => {
    const text = environment[name] || String(unset);
    const value = /^\d{1,9}$/.test(text) ? Number(text) : NaN;
    if (value <= most) return value;
    problems.push(`${name}: ${JSON.stringify(text)} is not a whole number from 0 to ${most}`);
    return unset;
  };
  const port = number("PORT", 50051, 65535);
  const drainSeconds = number("GRPC_DRAIN_SECONDS", 30, 86400);
  const lameDuckSeconds = Math.min(number("LAME_DUCK_SECONDS", 5, 86400), drainSeconds / 2);
  const token = environment["AUTH_TOKEN"] ?? "";
  return problems.length > 0 ? problems : { port, token, drainSeconds, lameDuckSeconds };
}
