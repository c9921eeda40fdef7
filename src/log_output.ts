import { constants, fstatSync, openSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { DestinationStream } from 'pino';
import sonicBoom from 'sonic-boom';

/** What may wait for a reader that is slow; what comes beyond it is lost. Characters. */
const mostWaiting = 1024 * 1024;

export interface LogOutput extends DestinationStream {
  /** Resolves when all that was written is out, or after `ms`. */
  flushed(ms: number): Promise<void>;
}

/**
 * Standard output, for the log. A disk that is full and a reader that stalls cost lines and nothing else; what follows is written when there is room again. (pino's own
 * destination ends the process on such an error, or waits for ever in its flush at the end: the service would neither heal nor stop.)
 */
export function standardOutput(): LogOutput {
  const out = new sonicBoom.SonicBoom({ fd: withoutWaiting(1), sync: false, maxLength: mostWaiting });
  // Tried again with the next line.
  out.on('error', () => {});
  return {
    write: (line) => {
      out.write(line);
    },
    flushed: (ms) => Promise.race([new Promise<void>((resolve) => out.flush(() => resolve())), delay(ms)]),
  };
}

/** A write to a pipe that is full would hold a thread, and the process's end, until somebody reads. Opened anew it is refused instead. */
function withoutWaiting(fd: number): number {
  if (!fstatSync(fd).isFIFO()) return fd;
  try {
    return openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch {
    // No /proc, or nobody reads any more: as it is.
    return fd;
  }
}
