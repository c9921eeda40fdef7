import { readAttachments, readNetworkMode } from './attachments.ts';
import { type Context, mustBe, read, type Section } from './context.ts';
import { type Declared, readDependencies } from './dependencies.ts';
import { readEnvironment } from './environment.ts';
import { readDns, readExtraHosts, readLogging, readSysctls } from './extras.ts';
import { type MountedFile, readFileMounts } from './file-mounts.ts';
import { serviceKeys } from './keys/service.ts';
import { readLimits } from './limits.ts';
import { readLabels } from './maps.ts';
import type { Service } from './model.ts';
import { type Mounted, readMounts } from './mounts.ts';
import { engineName, imageReference } from './names.ts';
import { readCommand, readHealthCheck, readRestart } from './process.ts';
import { type Published, readExpose, readPorts } from './published.ts';
import type { Field, NamedField, Reader } from './reader.ts';

/** A service as read, and where its parts are written, for the checks between services. */
export interface ServiceDraft {
  service: Service;
  active: boolean;
  field: NamedField;
  containerName: Field;
  ports: Published[];
  mounts: Mounted[];
  files: MountedFile[];
  dependencies: Declared[];
}

/** Reads one service; what was reported has a stand-in value. Files of services without an active profile are not looked for. */
export async function readService(context: Context, entry: NamedField): Promise<ServiceDraft> {
  const { reader } = context;
  const section: Section = { context, fields: reader.keyed(entry, serviceKeys) ?? new Map() };
  const active = context.services.get(entry.key)?.active === true;
  const text = (key: string) => read(section, key, (r, f) => r.text(f)) ?? null;
  const texts = (key: string) => read(section, key, (r, f) => r.texts(f)) ?? [];
  const flag = (key: string) => read(section, key, (r, f) => r.flag(f));
  mustBe(section, 'privileged', false, serviceKeys);
  read(section, 'scale', one);
  if (entry.tree.kind === 'map' && !entry.tree.entries.has('image') && !entry.tree.entries.has('build'))
    reader.fail(entry, 'has no image; add image:');
  const networkMode = readNetworkMode(section, entry.key);
  const ports = readPorts(section);
  const mounts = await readMounts(section, active);
  const configs = await readFileMounts(section, 'configs', active);
  const secrets = await readFileMounts(section, 'secrets', active);
  const dependencies = readDependencies(section, networkMode, active);
  const service: Service = {
    name: entry.key,
    containerName: read(section, 'container_name', engineName) ?? `${context.projectName}-${entry.key}-1`,
    image: read(section, 'image', imageReference) ?? '',
    platform: read(section, 'platform', platform) ?? null,
    command: readCommand(section, 'command'),
    entrypoint: readCommand(section, 'entrypoint'),
    environment: await readEnvironment(section, active),
    labels: read(section, 'labels', readLabels) ?? {},
    user: text('user'),
    workingDir: text('working_dir'),
    hostname: text('hostname'),
    stopSignal: read(section, 'stop_signal', signal) ?? null,
    stopGraceMs: read(section, 'stop_grace_period', (r, f) => r.duration(f)) ?? null,
    init: flag('init') ?? null,
    tty: flag('tty') ?? false,
    stdinOpen: flag('stdin_open') ?? false,
    readOnly: flag('read_only') ?? false,
    capAdd: texts('cap_add'),
    capDrop: texts('cap_drop'),
    securityOpt: texts('security_opt'),
    sysctls: read(section, 'sysctls', readSysctls) ?? {},
    ...readLimits(section),
    extraHosts: read(section, 'extra_hosts', readExtraHosts) ?? [],
    dns: read(section, 'dns', readDns) ?? [],
    pullPolicy: read(section, 'pull_policy', pullPolicy) ?? 'missing',
    logging: readLogging(section),
    restart: readRestart(section),
    ports: ports.map((port) => port.mapping),
    expose: readExpose(section),
    mounts: mounts.map((mounted) => mounted.mount),
    configs: configs.map((config) => config.file),
    secrets: secrets.map((secret) => secret.file),
    networks: networkMode === null ? readAttachments(section, entry.key) : [],
    networkMode,
    dependsOn: dependencies.map((declared) => declared.dependency),
    healthCheck: readHealthCheck(section),
    at: { file: reader.issues.file, ...entry.keyAt },
  };
  const containerName = section.fields.get('container_name') ?? entry;
  return { service, active, field: entry, containerName, ports, mounts, files: [...configs, ...secrets], dependencies };
}

function one(reader: Reader, field: Field): void {
  const count = reader.integer(field, 0, 1_000_000);
  if (count !== undefined && count !== 1) reader.fail(field, `${count} is not supported: ${serviceKeys.scale?.note ?? ''}`);
}

function platform(reader: Reader, field: Field): string | undefined {
  const text = reader.text(field);
  if (text === undefined || /^[a-z0-9]+(?:\/[a-z0-9_]+){0,2}$/.test(text)) return text;
  return reader.fail(field, `"${text}" is no platform; write one such as linux/amd64`);
}

function signal(reader: Reader, field: Field): string | undefined {
  const text = reader.text(field);
  if (text === undefined || /^(?:(?:SIG)?[A-Z]+[0-9]{0,2}(?:[-+][0-9]{1,2})?|[0-9]{1,2})$/.test(text)) return text;
  return reader.fail(field, `"${text}" is no signal; write one such as SIGINT`);
}

function pullPolicy(reader: Reader, field: Field): Service['pullPolicy'] | undefined {
  const text = reader.text(field);
  if (text === 'missing' || text === 'if_not_present') return 'missing';
  if (text === 'never' || text === undefined) return text;
  return reader.fail(field, `${text} is not supported: ${serviceKeys.pull_policy?.note ?? ''}`);
}

/** Names of the profiles of a service; a service without any is always active. */
export function readProfiles(reader: Reader, entry: NamedField): string[] {
  const profiles = entry.tree.kind === 'map' ? entry.tree.entries.get('profiles') : undefined;
  if (profiles === undefined) return [];
  return reader.texts({ tree: profiles.value, path: `${entry.path}.profiles` }) ?? [];
}
