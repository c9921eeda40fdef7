import { dirname, resolve } from 'node:path';
import { Problem } from '../lib/problem.ts';
import type { Context, Surroundings } from './context.ts';
import { readDefinitions } from './definitions.ts';
import { type Files, realFiles } from './files.ts';
import { projectHash } from './hash.ts';
import type { Lookup } from './interpolate.ts';
import { Issues } from './issues.ts';
import { topKeys } from './keys/top.ts';
import type { Network, Project, Volume } from './model.ts';
import { keyName, projectName as projectNamePattern } from './names.ts';
import { readNetworks } from './networks.ts';
import { parse } from './parse.ts';
import { type Field, Reader } from './reader.ts';
import { checkEngineNames, checkReferences } from './references.ts';
import { readProfiles, readService, type ServiceDraft } from './service.ts';
import { substitute } from './substitute.ts';
import type { MapTree } from './tree.ts';
import { readVolumes } from './volumes.ts';

export interface ResolveOptions {
  /** The compose file; relative paths in it start from its folder. */
  file: string;
  /** Wins over `name:` in the file. */
  projectName: string;
  /** The only source of variables; no `.env` file is read. COMPOSE_PROJECT_NAME is added. */
  env: Record<string, string | undefined>;
  /** Active profiles; `*` is all of them. By default those that COMPOSE_PROFILES names, as with Compose. */
  profiles?: string[];
  /** Added to every fixed host port. */
  portOffset?: number;
}

/** Resolves a compose file of the documented subset. Throws a `compose_invalid` Problem that lists every finding with its place. */
export async function resolveProject(options: ResolveOptions): Promise<Project> {
  const file = resolve(options.file);
  const text = await readComposeFile(file);
  return resolveText(text, { ...options, file, files: realFiles });
}

async function readComposeFile(file: string): Promise<string> {
  const answer = await realFiles.read(file);
  if ('content' in answer) return answer.content.toString('utf8');
  const issues = new Issues(file);
  issues.add({ line: 1, column: 1 }, '', `the compose file ${answer.error}`);
  throw issues.toProblem();
}

/** The same from a text, with the reading of further files injected. */
export async function resolveText(text: string, options: ResolveOptions & { files: Files }): Promise<Project> {
  const { projectName, files, profiles = profilesIn(options.env.COMPOSE_PROFILES), portOffset = 0 } = options;
  if (!projectNamePattern.test(projectName)) {
    throw new Problem(
      'invalid_request',
      `"${projectName}" is no project name; use small letters, digits, "-" and "_", starting with a letter or digit`,
    );
  }
  const file = resolve(options.file);
  const issues = new Issues(file);
  const reader = new Reader(issues);
  const lookup: Lookup = (name) =>
    name === 'COMPOSE_PROJECT_NAME' ? projectName : Object.hasOwn(options.env, name) ? options.env[name] : undefined;
  const parsed = parse(text, issues);
  if (parsed === null) throw issues.toProblem();
  const tree = substitute(parsed, lookup, issues);
  const surroundings: Surroundings = { reader, projectName, workingDir: dirname(file), lookup, files };
  const resolved = await readProject(tree, surroundings, { profiles, portOffset });
  issues.throwIfAny();
  const project = { name: projectName, file, workingDir: dirname(file), ...resolved };
  return { ...project, hash: projectHash(project) };
}

/** Names separated by commas. */
function profilesIn(text = ''): string[] {
  return text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

type Resolved = Pick<Project, 'services' | 'networks' | 'volumes'>;

async function readProject(
  tree: MapTree,
  surroundings: Surroundings,
  options: { profiles: string[]; portOffset: number },
): Promise<Resolved> {
  const { reader } = surroundings;
  const top = reader.keyed({ tree, path: '' }, topKeys) ?? new Map<string, Field>();
  const networks = readNetworks(surroundings, top.get('networks'));
  const volumes = readVolumes(surroundings, top.get('volumes'));
  checkEngineNames(reader, top.get('networks'), [...networks.values()]);
  checkEngineNames(reader, top.get('volumes'), [...volumes.values()]);
  const entries = servicesOf(reader, tree, top);
  const all = options.profiles.includes('*');
  const services = new Map(
    entries.map((entry) => {
      const wanted = readProfiles(reader, entry);
      return [entry.key, { active: wanted.length === 0 || all || wanted.some((profile) => options.profiles.includes(profile)) }];
    }),
  );
  if (services.size > 0 && ![...services.values()].some(({ active }) => active)) {
    reader.issues.add(entries[0]?.keyAt ?? tree.at, 'services', 'no service is active; activate one of their profiles');
  }
  const context: Context = {
    ...surroundings,
    portOffset: options.portOffset,
    services,
    networks,
    volumes: new Set(volumes.keys()),
    configs: readDefinitions(surroundings, top.get('configs'), 'configs'),
    secrets: readDefinitions(surroundings, top.get('secrets'), 'secrets'),
  };
  const drafts: ServiceDraft[] = [];
  for (const entry of entries) drafts.push(await readService(context, entry));
  checkReferences(reader, drafts);
  return used(drafts, networks, volumes);
}

function servicesOf(reader: Reader, tree: MapTree, top: Map<string, Field>) {
  const field = top.get('services');
  const entries = (field && reader.named(field, keyName)) ?? [];
  if (field === undefined && !tree.entries.has('services')) reader.issues.add(tree.at, '', 'the file declares no services; add services:');
  else if (field?.tree.kind === 'map' && field.tree.entries.size === 0) reader.fail(field, 'declares no service; add at least one');
  return entries;
}

/** What active services use; the rest is not made, as in Compose. */
function used(drafts: ServiceDraft[], networks: Map<string, Network>, volumes: Map<string, Volume>): Resolved {
  const services = drafts.filter((draft) => draft.active).map((draft) => draft.service);
  const attached = new Set(services.flatMap((service) => service.networks.map((n) => n.network)));
  const mounted = new Set(services.flatMap((service) => service.mounts.map((m) => (m.type === 'volume' ? m.volume : null))));
  return {
    services,
    networks: [...networks.values()].filter((network) => attached.has(network.key)),
    volumes: [...volumes.values()].filter((volume) => mounted.has(volume.key)),
  };
}
