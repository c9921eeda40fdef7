import type { Existing } from './existing.ts';
import type { PlanStep } from './step.ts';

/**
 * Steps that take away everything the subject has on the engine, but the networks of `kept` (by id; with the containers that may be on them). All
 * containers are killed at once; then each goes with its own volumes, whatever the others do.
 */
export function planBurn(existing: Existing, kept: ReadonlyMap<string, readonly string[]> = new Map()): PlanStep[] {
  const kills = existing.containers.map(
    (c): PlanStep => ({
      id: `container.kill ${c.name}`,
      phase: 'burn',
      cause: 'nothing of the generation before may run when the next one starts',
      after: [],
      op: 'container.kill',
      container: c.id,
    }),
  );
  const dead = kills.map((s) => s.id);
  const containers = existing.containers.map(
    (c): PlanStep => ({
      id: `container.remove ${c.name}`,
      phase: 'burn',
      cause: 'it belongs to the generation before',
      after: [`container.kill ${c.name}`],
      op: 'container.remove',
      container: c.id,
    }),
  );
  const gone = containers.map((s) => s.id);
  const networks = existing.networks.flatMap((n): PlanStep[] => {
    const allowed = kept.get(n.id);
    if (allowed !== undefined) {
      return [
        {
          id: `network.keep ${n.name} ${n.id.slice(0, 12)}`,
          phase: 'burn',
          cause: 'it is as the compose file wants it, and nobody else is on it',
          after: dead,
          op: 'network.keep',
          network: n.id,
          guests: allowed,
        },
      ];
    }
    const guests = n.guests.map(
      (g): PlanStep => ({
        id: `network.disconnect ${n.name} ${g.name}`,
        phase: 'burn',
        cause: 'a network cannot be removed while somebody is on it',
        after: [],
        op: 'network.disconnect',
        network: n.id,
        container: g.id,
      }),
    );
    return [
      ...guests,
      {
        id: `network.remove ${n.name} ${n.id.slice(0, 12)}`,
        phase: 'burn',
        cause: 'it belongs to the generation before',
        after: [...gone, ...guests.map((s) => s.id)],
        op: 'network.remove',
        network: n.id,
      },
    ];
  });
  const volumes = existing.volumes.map(
    (v): PlanStep => ({
      id: `volume.remove ${v.name}`,
      phase: 'burn',
      cause: 'it holds data of the generation before',
      after: existing.containers.filter((c) => c.volumes.includes(v.name)).map((c) => `container.remove ${c.name}`),
      op: 'volume.remove',
      volume: v.name,
      bounded: v.bounded,
    }),
  );
  return [...kills, ...containers, ...networks, ...volumes];
}
