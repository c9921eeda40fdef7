import { bodyProblem } from '../../lib/input_error.ts';
import { Problem } from '../../lib/problem.ts';
import type { Disk } from '../../toolbox/protocol.ts';
import type { ChaosType, Params } from '../chaos_type.ts';
import type { Effect } from '../fault.ts';
import { nodeOf, type Scene, type SceneNode } from '../scene.ts';
import { lookLater } from '../witness/lasting.ts';
import { judgeRise, levelOf } from '../witness/rise.ts';
import { together } from '../witness/together.ts';
import { auditToolbox, remnants } from './audit.ts';
import { defaults } from './defaults.ts';

/** In percent of the volume. The filesystem's own bookkeeping keeps the last percent from being exact, and a node that appends to its log uses as much by itself: a file that is smaller proves nothing. */
const tolerance = 2;
/** Left out of a file that would take all there is: the filesystem needs blocks for its list of blocks, and refuses the last ones. */
const spareBytes = 1 << 20;

/**
 * Fills a volume of limited size up to a share, with a file written from outside the node. A path on a filesystem that is shared with the host is refused: it would fill the host. Witness: the filesystem's own figures, which must have risen by the file's size. The file outlives a restart of
 * the node, and is removed whether the node runs or not.
 */
export const diskPressure: ChaosType = {
  ...defaults,
  name: 'disk_pressure',
  summary: 'Fills a volume of limited size up to a share.',
  paramsSchema: {
    type: 'object',
    additionalProperties: false,
    properties: {
      fill_percent: {
        type: 'number',
        minimum: 1,
        maximum: 100,
        default: 80,
        description: 'Share of the volume that is in use then, of what df counts.',
      },
      path: { type: 'string', minLength: 1, maxLength: 512, description: 'In the node, on a bounded volume; by default its first one.' },
    },
  },
  layer: 'disk',
  life: 'lasting',
  needsToolbox: true,
  available: (scene, capabilities) => {
    if (!capabilities?.loop)
      return { available: false, reason: 'no_loop_devices', detail: capabilities?.reasons.loop ?? 'the toolbox is not there' };
    if (scene.nodes.some((n) => n.containerId !== '') && scene.nodes.every((n) => n.bounded.length === 0))
      return {
        available: false,
        reason: 'no_bounded_volume',
        detail: 'no node has a volume of limited size (x-subjectd: size in the compose file)',
      };
    return { available: true, mechanism: 'loop_file' };
  },
  obstacle: (node) => (node.bounded.length === 0 ? 'it has no volume of limited size' : node.running ? null : 'it does not run'),
  plan: async (scene, { fault, targets, params }, signal) => {
    const fills = await Promise.all(targets.map(async (t) => ({ ...t, ...(await fillOf(scene, nodeOf(scene, t.node), params, signal)) })));
    const name = `.subjectd-${fault}`;
    const first = fills[0];
    return {
      act: fills.map((f) => ({
        op: 'disk.fill',
        fault,
        node: f.node,
        container_id: f.container_id,
        volume: f.volume,
        name,
        bytes: f.bytes,
      })),
      undo: fills.map((f) => ({ op: 'disk.release', fault, node: f.node, container_id: f.container_id, volume: f.volume, name })),
      metadata: {
        fill_percent: params.fill_percent,
        fill_file: first === undefined ? null : `${first.path.replace(/\/$/, '')}/${name}`,
        fill_bytes: first?.bytes ?? null,
      },
    };
  },
  baseline: async ({ toolbox }, { params }, plan, signal) => {
    const volumes = plan.act.flatMap((s) => (s.op === 'disk.fill' ? [s] : []));
    const look = (s: AbortSignal) => Promise.all(volumes.map((v) => toolbox.call('measure.disk', { volume: v.volume }, s)));
    const before = await look(signal);
    return {
      judge: async (facts, judging) => {
        const after = await lookLater(look, judging);
        const evidence = volumes.map((v, i) => ({
          check: 'statfs',
          node: v.node,
          volume: v.volume,
          before: before[i],
          after: after[i],
          percent: Math.round(usedPercent(after[i]) * 10) / 10,
          file_bytes: v.bytes,
          used_bytes_before_file: number(facts[i]?.used_bytes_before),
        }));
        const asked = Number(params.fill_percent);
        return { verdict: together(evidence.map((e) => judgeDisk(e.file_bytes, e.used_bytes_before_file, e.after, asked))), evidence };
      },
    };
  },
  audit: auditToolbox,
  presence: remnants,
};

/** What can be used at all, as `df` reckons: a filesystem keeps some blocks (ext4 two percent) for itself. */
const usable = (disk: Disk) => disk.used_bytes + disk.available_bytes;
const usedPercent = (disk: Disk | undefined) => (disk === undefined ? 0 : (100 * disk.used_bytes) / usable(disk));
const number = (fact: unknown) => (typeof fact === 'number' ? fact : null);

/** By the size of the file that was asked for, what was in use when it was about to be written (null: it never was), and the volume after. */
export function judgeDisk(fileBytes: number, usedBefore: number | null, after: Disk | undefined, asked: number): Effect['verdict'] {
  if (usedBefore === null || after === undefined) return 'not_observed';
  const least = (after.total_bytes * tolerance) / 100;
  return judgeRise({ added: fileBytes, rise: after.used_bytes - usedBefore, least }, levelOf(usedPercent(after), asked, tolerance));
}

async function fillOf(
  scene: Scene,
  node: SceneNode,
  params: Params,
  signal: AbortSignal,
): Promise<{ volume: string; path: string; bytes: number }> {
  const path = params.path === undefined ? node.bounded[0]?.path : String(params.path);
  const on = node.bounded.find((b) => path === b.path || path?.startsWith(`${b.path.replace(/\/$/, '')}/`));
  if (on === undefined || path === undefined || path.split('/').includes('..')) {
    const allowed = node.bounded.map((b) => b.path);
    const reason = `${path ?? 'it'} is not on a volume of limited size of ${node.name}; filling it would fill the host`;
    throw bodyProblem('params.path', reason, allowed);
  }
  const disk = await scene.toolbox.call('measure.disk', { volume: on.volume }, signal);
  const wanted = Math.floor((usable(disk) * Number(params.fill_percent)) / 100) - disk.used_bytes;
  const bytes = Math.min(wanted, disk.available_bytes - spareBytes);
  if (bytes <= 0) {
    throw new Problem('no_candidate', `${on.path} of ${node.name} is already fuller than ${params.fill_percent} %.`, {
      node: node.name,
      ...disk,
    });
  }
  return { volume: on.volume, path: on.path, bytes };
}
