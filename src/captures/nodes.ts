import type { Observed } from '../kind/observe.ts';
import { rfc3339 } from '../lib/clock.ts';
import type { CapturedNode } from './capture.ts';

/** The subject's nodes as the engine has them; other services are left out. */
export function capturedNodes(observed: readonly Observed[]): CapturedNode[] {
  return observed.flatMap(({ service, type, detail }) => {
    if (type === null) return [];
    const startedAt = detail?.startedAt ?? null;
    return {
      name: service,
      type,
      state: detail?.state ?? 'absent',
      started_at: startedAt === null ? null : rfc3339(startedAt),
      exit_code: detail !== null && ['exited', 'dead'].includes(detail.state) ? detail.exitCode : null,
      oom_killed: detail?.oomKilled ?? false,
      restart_count: detail?.restartCount ?? 0,
    };
  });
}
