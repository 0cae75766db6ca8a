/** Writes a line of JSON. */
export function log(level: "info" | "error", msg: string, fields: Record<string, unknown> = {}): void {
  console.error(JSON.stringify({ time: new Date(), level, msg, ...fields }));
}
