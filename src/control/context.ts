import type { Logger } from 'pino';
import type { CaptureStore } from '../captures/store.ts';
import type { Engine } from '../engine/port.ts';
import type { EventLog } from '../events/log.ts';
import type { FaultStore } from '../faults/store.ts';
import type { Watchdog } from '../faults/watchdog.ts';
import type { Quiet } from '../health/quiet.ts';
import type { Checks } from '../kind/check.ts';
import type { Kind } from '../kind/loader.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Clock } from '../lib/clock.ts';
import type { Rng } from '../lib/rng.ts';
import type { ResetContext } from '../reset/reset.ts';
import type { Toolbox } from '../toolbox/port.ts';
import type { DeathsTold } from './deaths.ts';
import type { Metrics } from './metrics.ts';
import type { Operations } from './operations.ts';

/** What every use case works with. Made once, in `create.ts`. */
export interface Context {
  engine: Engine;
  toolbox: Toolbox;
  watchdog: Watchdog;
  quiet: Quiet;
  toolboxImage: string;
  owner: string;
  /** Of the service. */
  version: string;
  clock: Clock;
  rng: Rng;
  log: Logger;
  ledger: Ledger;
  events: EventLog;
  operations: Operations;
  store: FaultStore;
  captures: CaptureStore;
  checks: Checks;
  deaths: DeathsTold;
  reset: ResetContext;
  metrics: Metrics;
  kinds: readonly Kind[];
  env: Readonly<Record<string, string | undefined>>;
  projectPrefix: string;
  portOffset: number;
  /** Host names in `endpoints.outside` instead of the published address; null: as published. */
  advertiseHost: string | null;
}
