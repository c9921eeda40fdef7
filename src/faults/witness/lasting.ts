import { pause } from '../../lib/until.ts';

const lastsMs = 100;

/** A look at what shows at once, a moment after the act: what somebody undoes at once is no effect. */
export async function lookLater<T>(look: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
  await pause(lastsMs, signal);
  return look(signal);
}
