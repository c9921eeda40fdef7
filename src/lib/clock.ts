/** Time as the code sees it, so that tests can hold it still. */
export interface Clock {
  /** Wall clock, milliseconds since the epoch. May jump. For what people read. */
  now(): number;
  /** Monotonic milliseconds from an arbitrary start. Never jumps back. For durations and deadlines. */
  mono(): number;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  mono: () => performance.now(),
};

/** RFC 3339 in UTC with milliseconds. */
export function rfc3339(ms: number): string {
  return new Date(ms).toISOString();
}
