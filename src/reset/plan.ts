import type { Bounded, Network } from '../compose/model.ts';
import type { NetworkCreate, VolumeCreate } from '../engine/port.ts';
import { composeLabels, labels, type Subject } from '../kind/subject.ts';
import { planBurn } from './burn.ts';
import { imageOf, type PlanInput } from './input.ts';
import { keptNetworks } from './keep.ts';
import { serviceSteps } from './service.ts';
import { anonymousTargets, anonymousVolumeName } from './spec.ts';
import type { PlanStep } from './step.ts';

/**
 * The whole of a reset: burn, create, start in dependency order, wait for each node's own check. A node is created as soon as its own predecessor is gone, and
 * started when all of the generation before are dead; what waits for another's health is created while it waits. Pure; the answer prints with `printPlan`.
 */
export function planReset(subject: Subject, input: PlanInput): PlanStep[] {
  const { project } = subject;
  const own = { [composeLabels.project]: project.name, [labels.owner]: input.owner, [labels.subject]: subject.name };
  const wanted = project.networks.map((n) => ({ key: n.key, body: networkBody(input, n, own) }));
  const kept = input.keepNetworks
    ? keptNetworks(
        input.existing,
        wanted.map((w) => w.body),
        input.self,
      )
    : new Map<string, string[]>();
  const keptByName = new Map(input.existing.networks.flatMap((n) => (kept.has(n.id) ? [[n.name, kept.get(n.id) ?? []]] : [])));
  const burn = planBurn(input.existing, kept);
  const burnt = (prefix: string) => burn.filter((s) => s.id.startsWith(prefix)).map((s) => s.id);

  const networks = wanted
    .filter(({ body }) => !keptByName.has(body.Name))
    .map(
      ({ key, body }): PlanStep => ({
        id: `network.create ${body.Name}`,
        phase: 'create',
        cause: `network ${key} of the compose file`,
        after: burnt('network.remove'),
        op: 'network.create',
        body,
      }),
    );
  const there = (name: string) => (keptByName.has(name) ? [] : [`network.create ${name}`]);
  const volumeStep = (name: string, key: string, cause: string, body: Partial<VolumeCreate>, bounded: Bounded | null): PlanStep => ({
    id: `volume.create ${name}`,
    phase: 'create',
    cause,
    after: burnt(`volume.remove ${name}`),
    op: 'volume.create',
    body: {
      ...body,
      Name: name,
      Labels: { ...body.Labels, ...own, [composeLabels.volume]: key, ...(bounded === null ? {} : { [labels.bounded]: '1' }) },
    },
    bounded,
  });
  const volumes = [
    ...project.volumes.map((v) =>
      volumeStep(
        v.name,
        v.key,
        `volume ${v.key} of the compose file`,
        { Labels: v.labels, DriverOpts: v.driverOpts, ...(v.driver === null ? {} : { Driver: v.driver }) },
        input.bounded ? v.bounded : null,
      ),
    ),
    ...project.services.flatMap((s) =>
      anonymousTargets(s, imageOf(input, s).volumes).map((target) => {
        const name = anonymousVolumeName(project, s.name, target);
        return volumeStep(name, name.slice(project.name.length + 1), `anonymous volume of ${s.name} at ${target}`, {}, null);
      }),
    ),
  ];
  const guests = wanted.flatMap(({ key, body: { Name: name } }) =>
    (input.guests.get(key) ?? [])
      .filter((container) => !keptByName.get(name)?.includes(container))
      .map(
        (container): PlanStep => ({
          id: `network.connect ${name} ${container.slice(0, 12)}`,
          phase: 'create',
          cause: 'it was on this network, or must reach the nodes',
          after: keptByName.has(name) ? burnt(`network.keep ${name} `) : there(name),
          op: 'network.connect',
          network: name,
          container,
          endpoint: {},
          guest: true,
        }),
      ),
  );
  const services = project.services.flatMap((s) => serviceSteps(subject, s, input, { burnt, there }));
  return [...burn, ...networks, ...volumes, ...guests, ...services];
}

/** What the engine is asked to make of a network of the compose file. */
function networkBody(input: PlanInput, n: Network, own: Record<string, string>): NetworkCreate {
  const subnet = input.subnets.get(n.key);
  const config =
    n.subnets.length > 0
      ? n.subnets.map((s) => ({ Subnet: s.subnet, ...(s.gateway === null ? {} : { Gateway: s.gateway }) }))
      : subnet === undefined
        ? []
        : [{ Subnet: subnet }];
  return {
    Name: n.name,
    Driver: n.driver ?? 'bridge',
    Internal: n.internal,
    EnableIPv6: n.enableIpv6,
    Options: n.driverOpts,
    Labels: { ...n.labels, ...own, [composeLabels.network]: n.key },
    ...(config.length === 0 ? {} : { IPAM: { Config: config } }),
  };
}
