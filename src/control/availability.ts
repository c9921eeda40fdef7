import { EngineError } from '../engine/port.ts';
import type { Availability, ChaosType, Params } from '../faults/chaos_type.ts';
import type { Scene } from '../faults/scene.ts';
import { ToolboxError } from '../toolbox/port.ts';
import type { Capabilities } from '../toolbox/protocol.ts';

/** Whether chaos types can be had on a subject now. The toolbox is asked once, and only when one of them needs it. */
export async function availabilities(
  types: readonly ChaosType[],
  scene: Scene,
  signal: AbortSignal,
  params?: Params,
): Promise<Availability[]> {
  const found = types.some((t) => t.needsToolbox) ? await capabilities(scene, signal) : { is: null, why: '' };
  return types.map((type) => {
    if (type.needsToolbox && found.is === null) return { available: false, reason: 'toolbox_unavailable', detail: found.why };
    return type.available(scene, found.is, params);
  });
}

async function capabilities(scene: Scene, signal: AbortSignal): Promise<{ is: Capabilities | null; why: string }> {
  try {
    return { is: await scene.toolbox.call('capabilities', {}, signal, 20_000), why: '' };
  } catch (error) {
    if (error instanceof ToolboxError) return { is: null, why: error.message };
    if (error instanceof EngineError && error.reason !== 'unreachable') return { is: null, why: error.message };
    throw error;
  }
}
