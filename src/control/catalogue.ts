import { EngineError } from '../engine/port.ts';
import { chaosTypes } from '../faults/registry.ts';
import type { Adapter } from '../kind/adapter.ts';
import type { Kind } from '../kind/loader.ts';
import { Problem } from '../lib/problem.ts';
import type { ChaosTypeView, KindView } from './api.ts';
import type { Context } from './context.ts';
import { resolveFor } from './registry.ts';

/** What can be tested here, and whether its images are present. */
export async function kindView(context: Context, kind: Kind, signal: AbortSignal): Promise<KindView> {
  const view: KindView = {
    name: kind.name,
    summary: kind.adapter.summary,
    node_types: nodeTypes(kind.adapter),
    roles: [...kind.adapter.roleNames],
    chaos_types: chaosTypes.map((c) => c.name),
    images: [],
    available: false,
    reason: null,
    detail: null,
  };
  try {
    const project = await resolveFor(context, kind, kind.name, 0);
    const references = [...new Set(project.services.map((s) => s.image))];
    view.images = await Promise.all(
      references.map(async (image) => {
        const found = await context.engine.inspectImage(image, signal);
        return {
          image,
          variable: kind.adapter.imageVariables.find((v) => context.env[v] === image) ?? null,
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
  const missing = view.images.filter((i) => !i.present).map((i) => i.image);
  if (missing.length === 0) return { ...view, available: true };
  const set = kind.adapter.imageVariables.length === 0 ? '' : `, or set ${kind.adapter.imageVariables.join(', ')}`;
  return {
    ...view,
    reason: 'IMAGE_UNAVAILABLE',
    detail: `Not on the engine: ${missing.join(', ')}. Pull or load it${set}; a reset tries to pull it.`,
  };
}

/** The chaos types of a subject, with what is available here. */
export function chaosTypeViews(context: Context, adapter: Adapter, signal: AbortSignal): Promise<ChaosTypeView[]> {
  return Promise.all(
    chaosTypes.map(async (type) => {
      const found = await type.available(context, signal);
      return {
        name: type.name,
        summary: type.summary,
        available: found.available,
        reason: found.available ? null : found.reason,
        mechanism: found.available ? found.mechanism : null,
        params_schema: { ...type.paramsSchema },
        default_target: { ...adapter.defaultTarget },
      };
    }),
  );
}

function nodeTypes(adapter: Adapter): Record<string, string[]> {
  const byType: Record<string, string[]> = {};
  for (const [node, type] of Object.entries(adapter.nodeTypes)) byType[type] = [...(byType[type] ?? []), node];
  return byType;
}
