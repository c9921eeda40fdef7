import type { Engine } from '../src/engine/port.ts';
import type { Adapter, Node } from '../src/kind/adapter.ts';
import { composeLabels } from '../src/kind/subject.ts';
import { Reach } from '../src/kind/toolkit.ts';
import { systemClock } from '../src/lib/clock.ts';
import { deadline, until } from '../src/lib/until.ts';

const everyMs = 50;
const limitMs = 60_000;

/** Milliseconds until the system in a project says by its own API that it is healthy, by the same rule that a reset uses. */
export async function untilHealthy(engine: Engine, adapter: Adapter, project: string, signal: AbortSignal): Promise<number> {
  const began = performance.now();
  const reach = new Reach(engine, systemClock);
  let issues: string[] = [];
  try {
    using limited = deadline(`proof of health of ${project}`, limitMs, signal);
    await until(
      async () => {
        const report = await adapter.health(reach.toolkit(project, await nodesOf(engine, adapter, project, limited), {}), limited);
        issues = report.issues;
        return report.healthy ? true : undefined;
      },
      everyMs,
      limited,
    );
    return performance.now() - began;
  } catch (error) {
    throw new Error(`${project} was not proven healthy: ${issues.join('; ')}`, { cause: error });
  } finally {
    await reach.close();
  }
}

async function nodesOf(engine: Engine, adapter: Adapter, project: string, signal: AbortSignal): Promise<Node[]> {
  const containers = await engine.listContainers([`${composeLabels.project}=${project}`], signal);
  return Promise.all(
    Object.entries(adapter.nodeTypes).map(async ([name, type]) => {
      const id = containers.find(({ labels }) => labels[composeLabels.service] === name)?.id ?? '';
      const detail = id === '' ? null : await engine.inspectContainer(id, signal);
      const running = detail?.state === 'running';
      return {
        name,
        type,
        container: detail?.name ?? '',
        containerId: id,
        running,
        startedAt: detail?.startedAt ?? null,
        address: running ? (detail?.networks[0]?.ipv4 ?? null) : null,
      };
    }),
  );
}
