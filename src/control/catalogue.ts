import type { Project } from '../compose/model.ts';
import { EngineError } from '../engine/port.ts';
import { chaosTypesOf } from '../faults/registry.ts';
import { defaultTarget } from '../faults/target.ts';
import type { Adapter } from '../kind/adapter.ts';
import type { Kind } from '../kind/loader.ts';
import { Problem } from '../lib/problem.ts';
import type { ChaosTypeView, KindView } from './api.ts';
import { availabilities } from './availability.ts';
import type { Context } from './context.ts';
import type { Host } from './host.ts';
import { resolveFor } from './registry.ts';
import { sceneOf } from './scene.ts';

/** What can be tested here, and whether its images are present. */
export async function kindView(context: Context, kind: Kind, signal: AbortSignal): Promise<KindView> {
  const view: KindView = {
    name: kind.name,
    summary: kind.adapter.summary,
    node_types: nodeTypes(kind.adapter),
    roles: [...kind.adapter.roleNames],
    chaos_types: chaosTypesOf(kind.adapter).map((c) => c.name),
    images: [],
    available: false,
    reason: null,
    detail: null,
  };
  try {
    const project = await resolveFor(context, kind, kind.name, 0);
    const references = [...new Set(project.services.map((s) => s.image))];
    const variables = await imageVariables(context, kind, project);
    view.images = await Promise.all(
      references.map(async (image) => {
        const found = await context.engine.inspectImage(image, signal);
        return {
          image,
          variable: variables.get(image) ?? null,
          present: found !== null,
          id: found?.id ?? null,
          services: project.services.filter((s) => s.image === image).map((s) => s.name),
        };
      }),
    );
  } catch (error) {
    if (error instanceof Problem && error.code === 'compose_invalid') return { ...view, reason: 'COMPOSE_INVALID', detail: error.message };
    if (error instanceof EngineError) return { ...view, reason: 'ENGINE_UNAVAILABLE', detail: error.message };
    throw error;
  }
  const missing = view.images.filter((i) => !i.present);
  if (missing.length === 0) return { ...view, available: true };
  const variables = [...new Set(missing.flatMap((i) => i.variable ?? []))];
  const set = variables.length === 0 ? '' : `, or set ${variables.join(', ')} to one that is here`;
  return {
    ...view,
    reason: 'IMAGE_UNAVAILABLE',
    detail: `Not on the engine: ${missing.map((i) => i.image).join(', ')}. Pull or load it${set}; a reset tries to pull it.`,
  };
}

/**
 * Which of the kind's variables names an image, by image: the file is resolved once more with a word of its own in each variable, set or not, and the words
 * are looked for in the services' images. Nothing is known of any when the file does not take such words.
 */
async function imageVariables(context: Context, kind: Kind, project: Project): Promise<Map<string, string>> {
  const names = kind.adapter.imageVariables;
  const found = new Map<string, string>();
  if (names.length === 0) return found;
  const words = names.map((_, i) => `probe-${i}-image`);
  const env = { ...context.env, ...Object.fromEntries(names.map((name, i) => [name, words[i]])) };
  const probed = await resolveFor({ ...context, env }, kind, kind.name, 0).catch((error: unknown) => {
    if (error instanceof Problem && error.code === 'compose_invalid') return null;
    throw error;
  });
  for (const { name, image } of project.services) {
    const instead = probed?.services.find((s) => s.name === name)?.image ?? '';
    const variable = names.find((_, i) => instead.includes(words[i] ?? ''));
    if (variable !== undefined && !found.has(image)) found.set(image, variable);
  }
  return found;
}

/** The chaos types of a subject, with what is available here and by which mechanism. */
export async function chaosTypeViews(context: Context, host: Host, signal: AbortSignal): Promise<ChaosTypeView[]> {
  const { adapter } = host.subject.kind;
  const types = chaosTypesOf(adapter);
  const scene = await sceneOf(context, host, signal);
  const found = await availabilities(types, scene, signal);
  return types.map((type, i) => {
    const here = found[i];
    return {
      name: type.name,
      summary: type.summary,
      available: here?.available ?? false,
      reason: here?.available === false ? here.reason : null,
      detail: here?.available === false ? here.detail : null,
      mechanism: here?.available === true ? here.mechanism : null,
      params_schema: { ...type.paramsSchema },
      default_target: { ...defaultTarget(type, adapter, scene.nodes) },
    };
  });
}

function nodeTypes(adapter: Adapter): Record<string, string[]> {
  const byType: Record<string, string[]> = {};
  for (const [node, type] of Object.entries(adapter.nodeTypes)) byType[type] = [...(byType[type] ?? []), node];
  return byType;
}
