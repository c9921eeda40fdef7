import { readFileSync } from 'node:fs';
import { posix } from 'node:path';
import type { FileMount, Mount, Project, Service } from '../../src/compose/model.ts';
import { parseDuration } from '../../src/lib/duration.ts';

/** One form for what Compose prints and what the resolver answers: everything the subset covers, with the engine's defaults written out. */
export interface Comparable {
  services: Record<string, Record<string, unknown>>;
  networks: Record<string, unknown>;
  volumes: Record<string, unknown>;
}

type Json = Record<string, unknown>;

const json = (value: unknown): Json => (typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value)) : {});
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
const number = (value: unknown): number | null => (value === undefined || value === null ? null : Number(value));
const orNull = (value: unknown): unknown => value ?? null;
const sorted = (values: unknown[]): string[] => values.map((value) => JSON.stringify(value)).sort();
const mapValues = (value: unknown, how: (item: unknown, key: string) => unknown): Json =>
  Object.fromEntries(Object.entries(json(value)).map(([key, item]) => [key, how(item, key)]));

function duration(value: unknown): number | null {
  if (value === undefined) return null;
  const ms = parseDuration(String(value));
  if (ms === null) throw new Error(`Compose printed a duration that cannot be read: ${value}`);
  return ms;
}

/** From `docker compose config --format json`, which doubles every dollar sign. `env` is what Compose ran with. */
export function fromCompose(printed: string, env: Record<string, string | undefined>): Comparable {
  const project = json(undouble(JSON.parse(printed)));
  const name = String(project.name);
  return {
    services: mapValues(project.services, (service, key) =>
      composeService(json(service), key, name, project, env),
    ) as Comparable['services'],
    networks: mapValues(project.networks, (item) => {
      const network = json(item);
      return {
        name: network.name,
        external: network.external === true,
        driver: orNull(network.driver),
        driverOpts: json(network.driver_opts),
        internal: network.internal === true,
        enableIpv6: network.enable_ipv6 === true,
        subnets: list(json(network.ipam).config).map((c) => ({ subnet: json(c).subnet, gateway: orNull(json(c).gateway) })),
        labels: json(network.labels),
      };
    }),
    volumes: mapValues(project.volumes, (item) => {
      const volume = json(item);
      return { name: volume.name, driver: orNull(volume.driver), driverOpts: json(volume.driver_opts), labels: json(volume.labels) };
    }),
  };
}

function undouble(value: unknown): unknown {
  if (typeof value === 'string') return value.replaceAll('$$', '$');
  if (Array.isArray(value)) return value.map(undouble);
  return typeof value === 'object' && value !== null ? mapValues(value, undouble) : value;
}

function composeService(service: Json, key: string, project: string, whole: Json, env: Record<string, string | undefined>): Json {
  const environment = Object.entries(json(service.environment)).filter(([, value]) => value !== null);
  return {
    containerName: service.container_name ?? `${project}-${key}-1`,
    image: service.image,
    platform: orNull(service.platform),
    command: orNull(service.command),
    entrypoint: orNull(service.entrypoint),
    environment: Object.fromEntries(environment),
    labels: json(service.labels),
    user: orNull(service.user),
    workingDir: orNull(service.working_dir),
    hostname: orNull(service.hostname),
    stopSignal: orNull(service.stop_signal),
    stopGraceMs: duration(service.stop_grace_period),
    init: orNull(service.init),
    tty: service.tty === true,
    stdinOpen: service.stdin_open === true,
    readOnly: service.read_only === true,
    capAdd: list(service.cap_add),
    capDrop: list(service.cap_drop),
    securityOpt: list(service.security_opt),
    sysctls: json(service.sysctls),
    ulimits: mapValues(service.ulimits, (limit) => (typeof limit === 'number' ? { soft: limit, hard: limit } : limit)),
    extraHosts: sorted(list(service.extra_hosts).map((host) => String(host).replace('=', ':'))),
    dns: list(service.dns),
    shmSizeBytes: number(service.shm_size),
    memoryBytes: number(service.mem_limit),
    cpus: number(service.cpus),
    pidsLimit: service.pids_limit === -1 ? null : number(service.pids_limit),
    oomScoreAdj: number(service.oom_score_adj),
    pullPolicy: service.pull_policy === 'never' ? 'never' : 'missing',
    logging:
      service.logging === undefined
        ? null
        : { driver: json(service.logging).driver ?? 'json-file', options: json(json(service.logging).options) },
    restart: service.restart ?? 'no',
    ports: sorted(list(service.ports).map((port) => composePort(json(port)))),
    expose: list(service.expose).map((port) => Number.parseInt(String(port), 10)),
    mounts: sorted([
      ...list(service.volumes).map((mount) => composeMount(json(mount))),
      ...list(service.tmpfs).map((mount) => composeTmpfs(String(mount))),
    ]),
    configs: sorted(list(service.configs).map((file) => composeFile(json(file), json(whole.configs), '/', env))),
    secrets: sorted(list(service.secrets).map((file) => composeFile(json(file), json(whole.secrets), '/run/secrets/', env))),
    networks: service.network_mode === undefined ? mapValues(service.networks, (item) => composeAttachment(json(item), key)) : {},
    networkMode: orNull(service.network_mode),
    dependsOn: composeDependencies(json(service.depends_on), json(whole.services)),
    healthCheck: composeHealth(service.healthcheck),
  };
}

/** Compose keeps an optional dependency on a service without an active profile; it has no effect. */
function composeDependencies(dependencies: Json, services: Json): Json {
  const present = Object.entries(dependencies).filter(([name, item]) => json(item).required !== false || Object.hasOwn(services, name));
  return Object.fromEntries(present.map(([name, item]) => [name, { condition: json(item).condition, required: json(item).required }]));
}

function composePort(port: Json): Json {
  const published = Number(port.published ?? 0);
  return {
    containerPort: port.target,
    protocol: port.protocol,
    hostIp: port.host_ip ?? '0.0.0.0',
    hostPort: published === 0 ? null : published,
  };
}

function composeMount(mount: Json): Json {
  const { type, target } = mount;
  if (type === 'tmpfs') {
    return { type, target, sizeBytes: number(json(mount.tmpfs).size), mode: number(json(mount.tmpfs).mode) };
  }
  const plain = { type, target, readOnly: mount.read_only === true };
  if (type === 'bind') return { ...plain, source: mount.source };
  return { ...plain, volume: orNull(mount.source), noCopy: json(mount.volume).nocopy === true };
}

/** Compose leaves this text to the engine, which reads it as mount options. */
function composeTmpfs(text: string): Json {
  const [target = '', options = ''] = text.split(':');
  const option = (name: string) => new RegExp(`(?:^|,)${name}=([^,]*)`).exec(options)?.[1];
  const size = /^([0-9]+)([km]?)$/.exec(option('size') ?? '');
  const factor = { k: 1024, m: 1024 ** 2 }[size?.[2] ?? ''] ?? 1;
  const mode = option('mode');
  return {
    type: 'tmpfs',
    target,
    sizeBytes: size ? Number(size[1]) * factor : null,
    mode: mode === undefined ? null : Number.parseInt(mode, 8),
  };
}

function composeFile(file: Json, definitions: Json, folder: string, env: Record<string, string | undefined>): Json {
  const source = String(file.source);
  const definition = json(definitions[source]);
  const executable = typeof definition.file === 'string' && definition.file.endsWith('.sh');
  const content =
    typeof definition.file === 'string'
      ? readFileSync(definition.file, 'utf8')
      : String(definition.content ?? env[String(definition.environment)]);
  return {
    name: source,
    target: posix.resolve(folder, String(file.target ?? source)),
    content,
    uid: Number(file.uid ?? 0),
    gid: Number(file.gid ?? 0),
    mode: number(file.mode) ?? (executable ? 0o555 : 0o444),
  };
}

function composeAttachment(attachment: Json, service: string): Json {
  return {
    aliases: [...new Set([service, ...list(attachment.aliases)])],
    ipv4: orNull(attachment.ipv4_address),
    ipv6: orNull(attachment.ipv6_address),
  };
}

function composeHealth(value: unknown): unknown {
  if (value === undefined) return null;
  const check = json(value);
  if (check.disable === true || list(check.test)[0] === 'NONE') return 'disabled';
  return {
    test: check.test,
    intervalMs: duration(check.interval) || 30_000,
    timeoutMs: duration(check.timeout) || 30_000,
    retries: number(check.retries) || 3,
    startPeriodMs: duration(check.start_period) ?? 0,
    startIntervalMs: duration(check.start_interval),
  };
}

/** From the resolver. */
export function fromProject(project: Project): Comparable {
  return {
    services: Object.fromEntries(project.services.map((service) => [service.name, ownService(service)])),
    networks: Object.fromEntries(project.networks.map(({ key, ...network }) => [key, network])),
    volumes: Object.fromEntries(project.volumes.map(({ key, bounded: _ours, ...volume }) => [key, volume])),
  };
}

function ownService(service: Service): Json {
  const { name: _name, at: _at, ...rest } = service;
  const { policy, maxRetries } = service.restart;
  const file = ({ content, ...other }: FileMount) => ({ ...other, content: content.toString('utf8') });
  const mode = service.networkMode;
  return {
    ...rest,
    ulimits: Object.fromEntries(service.ulimits.map(({ name, soft, hard }) => [name, { soft, hard }])),
    extraHosts: sorted(service.extraHosts),
    restart: maxRetries > 0 ? `${policy}:${maxRetries}` : policy,
    ports: sorted(service.ports.map(({ containerPort, protocol, hostIp, hostPort }) => ({ containerPort, protocol, hostIp, hostPort }))),
    mounts: sorted(service.mounts.map(ownMount)),
    configs: sorted(service.configs.map(file).map(fileKeys)),
    secrets: sorted(service.secrets.map(file).map(fileKeys)),
    networks: Object.fromEntries(service.networks.map(({ network, aliases, ipv4, ipv6 }) => [network, { aliases, ipv4, ipv6 }])),
    networkMode: mode === null ? null : mode.mode === 'service' ? `service:${mode.service}` : mode.mode,
    dependsOn: Object.fromEntries(service.dependsOn.map(({ service: other, condition, required }) => [other, { condition, required }])),
  };
}

function fileKeys({ name, target, content, uid, gid, mode }: Omit<FileMount, 'content'> & { content: string }): Json {
  return { name, target, content, uid, gid, mode };
}

function ownMount(mount: Mount): Json {
  const { type, target } = mount;
  if (mount.type === 'tmpfs') return { type, target, sizeBytes: mount.sizeBytes, mode: mount.mode };
  if (mount.type === 'bind') return { type, target, readOnly: mount.readOnly, source: mount.source };
  return { type, target, readOnly: mount.readOnly, volume: mount.volume, noCopy: mount.noCopy };
}
