import type { Project, Service } from '../../src/compose/model.ts';
import type { Adapter } from '../../src/kind/adapter.ts';
import type { Subject } from '../../src/kind/subject.ts';
import type { Existing } from '../../src/reset/existing.ts';
import type { PlanInput } from '../../src/reset/input.ts';

const at = { file: 'compose.yaml', line: 1, column: 1 };

export function service(name: string, more: Partial<Service> = {}): Service {
  return {
    name,
    containerName: `p-${name}-1`,
    image: 'img',
    platform: null,
    pullPolicy: 'missing',
    logging: null,
    command: null,
    entrypoint: null,
    environment: {},
    labels: {},
    user: null,
    workingDir: null,
    hostname: null,
    stopSignal: null,
    stopGraceMs: null,
    init: null,
    tty: false,
    stdinOpen: false,
    readOnly: false,
    capAdd: [],
    capDrop: [],
    securityOpt: [],
    sysctls: {},
    ulimits: [],
    extraHosts: [],
    dns: [],
    shmSizeBytes: null,
    memoryBytes: null,
    cpus: null,
    pidsLimit: null,
    oomScoreAdj: null,
    restart: { policy: 'no', maxRetries: 0 },
    ports: [],
    expose: [],
    mounts: [],
    configs: [],
    secrets: [],
    networks: [{ network: 'default', aliases: [name], ipv4: null, ipv6: null }],
    networkMode: null,
    dependsOn: [],
    healthCheck: null,
    at,
    ...more,
  };
}

export function subject(services: Service[]): Subject {
  const project: Project = {
    name: 'p',
    file: '/k/compose.yaml',
    workingDir: '/k',
    services,
    networks: [
      {
        key: 'default',
        name: 'p_default',
        external: false,
        driver: null,
        driverOpts: {},
        internal: false,
        enableIpv6: false,
        subnets: [],
        labels: {},
      },
    ],
    volumes: [{ key: 'data', name: 'p_data', driver: null, driverOpts: {}, labels: {}, bounded: null }],
    hash: 'h',
  };
  const adapter = { kind: 'k', nodeTypes: { db: 'db', app: 'app' } } as unknown as Adapter;
  return { name: 'p', kind: { name: 'k', dir: '/k', composeFile: '/k/compose.yaml', adapter }, project, portShift: 0 };
}

export const nothing: Existing = { containers: [], networks: [], volumes: [] };

export function input(existing: Existing = nothing, volumes: string[] = []): PlanInput {
  return {
    owner: 'own_1',
    generation: 2,
    existing,
    images: new Map([['img', { use: 'img', volumes }]]),
    subnets: new Map([['default', '10.0.0.0/24']]),
    addresses: new Map([['default', new Map([['db', '10.0.0.128']])]]),
    guests: new Map(),
    self: null,
    keepNetworks: true,
    bounded: true,
    apiVersion: '1.41',
  };
}
