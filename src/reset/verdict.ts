import type { Service } from '../compose/model.ts';
import type { ContainerDetail } from '../engine/port.ts';
import type { AwaitCondition } from './step.ts';

/** What a look at a starting container says: done, hopeless (with the reason), or neither yet. */
export type Verdict = { is: 'done' } | { is: 'failed'; why: string } | { is: 'waiting'; check: boolean };

/** A service whose restart policy starts it again may need a few tries (its peers are not up yet); then it is hopeless. */
const maxRestarts = 3;

/** Judges one look; `check: true` asks for a run of the container's own health check. Pure. */
export function judge(service: Service, condition: AwaitCondition, container: ContainerDetail | null, checkPassed: boolean): Verdict {
  if (container === null) return { is: 'failed', why: 'its container was removed' };
  switch (container.state) {
    case 'created':
      return container.error === '' ? { is: 'waiting', check: false } : { is: 'failed', why: `it could not start: ${container.error}` };
    case 'running':
      if (condition === 'completed') return { is: 'waiting', check: false };
      return checkPassed ? { is: 'done' } : { is: 'waiting', check: true };
    case 'restarting':
      return container.restartCount > maxRestarts
        ? { is: 'failed', why: `it exited ${container.restartCount} times, last with code ${container.exitCode}` }
        : { is: 'waiting', check: false };
    case 'exited':
      if (container.exitCode === 0 && condition !== 'ready') return { is: 'done' };
      if (willRestart(service, container)) return { is: 'waiting', check: false };
      return { is: 'failed', why: `it exited with code ${container.exitCode}${container.oomKilled ? ' (out of memory)' : ''}` };
    case 'paused':
      return { is: 'waiting', check: false };
    case 'removing':
    case 'dead':
      return { is: 'failed', why: `its container is ${container.state}` };
  }
}

function willRestart({ restart }: Service, container: ContainerDetail): boolean {
  if (container.restartCount > maxRestarts) return false;
  if (restart.policy === 'on-failure')
    return container.exitCode !== 0 && (restart.maxRetries === 0 || container.restartCount < restart.maxRetries);
  return restart.policy !== 'no';
}
