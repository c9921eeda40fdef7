import type { Network, Volume } from './model.ts';
import { findCycle } from './order.ts';
import type { Field, Reader } from './reader.ts';
import type { ServiceDraft } from './service.ts';

/** Reports what only shows when services are looked at together: cycles, and two things that claim the same name, port, path or address. */
export function checkReferences(reader: Reader, drafts: readonly ServiceDraft[]): void {
  const active = drafts.filter((draft) => draft.active);
  checkCycle(reader, drafts);
  checkContainerNames(reader, active);
  checkPorts(reader, active);
  checkAddresses(reader, active);
  for (const draft of drafts) checkTargets(reader, draft);
}

function checkCycle(reader: Reader, drafts: readonly ServiceDraft[]): void {
  const edges = new Map(drafts.map((draft) => [draft.service.name, draft.service.dependsOn.map((d) => d.service)]));
  const cycle = findCycle(edges);
  const [first, second] = cycle ?? [];
  if (cycle === null || first === undefined) return;
  const field = drafts.find((d) => d.service.name === first)?.dependencies.find((d) => d.dependency.service === (second ?? first))?.field;
  const chain = [...cycle, first].join(' → ');
  if (field) reader.fail(field, `the services wait for each other in a cycle: ${chain}; remove one of these dependencies`);
}

function checkContainerNames(reader: Reader, drafts: readonly ServiceDraft[]): void {
  const taken = new Map<string, string>();
  for (const { service, containerName } of drafts) {
    const other = taken.get(service.containerName);
    if (other === undefined) taken.set(service.containerName, service.name);
    else
      reader.fail(
        containerName,
        `the container name ${service.containerName} is taken by the service ${other}; choose another container_name:`,
      );
  }
}

function checkPorts(reader: Reader, drafts: readonly ServiceDraft[]): void {
  const taken = new Map<string, { ip: string; service: string }[]>();
  const everywhere = (ip: string) => ip === '0.0.0.0' || ip === '::';
  for (const { service, ports } of drafts) {
    for (const { mapping, field } of ports) {
      if (mapping.hostPort === null) continue;
      const key = `${mapping.hostPort}/${mapping.protocol}`;
      const holders = taken.get(key) ?? [];
      const other = holders.find(({ ip }) => ip === mapping.hostIp || everywhere(ip) || everywhere(mapping.hostIp));
      if (other) reader.fail(field, `the host port ${key} is published by the service ${other.service} already; choose another`);
      taken.set(key, [...holders, { ip: mapping.hostIp, service: service.name }]);
    }
  }
}

function checkAddresses(reader: Reader, drafts: readonly ServiceDraft[]): void {
  const taken = new Map<string, string>();
  for (const { service, field } of drafts) {
    for (const { network, ipv4, ipv6 } of service.networks) {
      for (const ip of [ipv4, ipv6]) {
        if (ip === null) continue;
        const other = taken.get(`${network} ${ip}`);
        if (other !== undefined)
          reader.fail(field, `the address ${ip} on the network ${network} is that of the service ${other} already; choose another`);
        taken.set(`${network} ${ip}`, service.name);
      }
    }
  }
}

function checkTargets(reader: Reader, { mounts, files }: ServiceDraft): void {
  const taken = new Set<string>();
  const targets: { target: string; field: Field }[] = [
    ...mounts.map(({ mount, field }) => ({ target: mount.target, field })),
    ...files.map(({ file, field }) => ({ target: file.target, field })),
  ];
  for (const { target, field } of targets) {
    if (taken.has(target)) reader.fail(field, `something else is put at ${target} already; choose another target`);
    taken.add(target);
  }
}

/** Reports two networks, or two volumes, of one name on the engine. */
export function checkEngineNames(reader: Reader, section: Field | undefined, things: readonly (Network | Volume)[]): void {
  const taken = new Map<string, string>();
  for (const { key, name } of things) {
    const other = taken.get(name);
    if (other !== undefined && section?.tree.kind === 'map') {
      const at = section.tree.entries.get(key)?.keyAt ?? section.tree.at;
      reader.issues.add(at, `${section.path}.${key}`, `the name ${name} is that of ${other} already; choose another name:`);
    }
    taken.set(name, key);
  }
}
