import { Type } from 'typebox';
import type { Capture as CaptureView, CaptureSummary as SummaryView } from '../../captures/capture.ts';
import type { Comparison as ComparisonView } from '../../captures/comparison.ts';
import type { Fingerprint as FingerprintView } from '../../captures/fingerprint.ts';
import { NextCursor } from './page.ts';
import { nodeState } from './subject.ts';
import { anyObject, component, mapOf, nullable, strict, time, words } from './types.ts';

export const Fingerprint = component<FingerprintView>('Fingerprint')(
  Type.Object(
    {
      digest: Type.String({
        description:
          'SHA-256 over `system`, as JSON with sorted keys and no spaces: the same in every copy and reset, and on every host that has the same images.',
      }),
      system: Type.Object({
        kind: Type.String(),
        services: mapOf(
          nullable(
            Type.Object({
              image_id: Type.String(),
              definition: nullable(Type.String(), {
                description:
                  'SHA-256 of what the compose file says of it beside the image: configs and secrets with their contents, bind mounts without.',
              }),
            }),
          ),
          { description: 'By compose service, as its container is and not as the file says now; null: there is no container.' },
        ),
      }),
      host: Type.Object(
        {
          subjectd_version: Type.String(),
          engine_id: Type.String(),
          engine_version: Type.String(),
          api_version: Type.String(),
          operating_system: Type.String(),
          kernel: Type.String(),
          cgroup_version: Type.String(),
          cpus: Type.Integer(),
          memory_bytes: Type.Integer(),
        },
        { description: 'Where it ran; not part of the digest.' },
      ),
    },
    { description: 'What a capture was taken from.' },
  ),
);

const nodes = Type.Array(
  Type.Object({
    name: Type.String(),
    type: Type.String(),
    state: nodeState,
    started_at: nullable(time()),
    exit_code: nullable(Type.Integer(), { description: 'Null while it runs.' }),
    oom_killed: Type.Boolean(),
    restart_count: Type.Integer({ description: 'By its restart policy.' }),
  }),
  { description: 'As the engine had them: a system may not know yet that one of its nodes is dead, or never tell that it was restarted.' },
);

const summary = {
  id: Type.String(),
  subject: Type.String(),
  kind: Type.String(),
  generation: Type.Integer({ description: 'Counts the resets.' }),
  captured_at: time(),
  label: nullable(Type.String()),
  faults: Type.Array(
    Type.Object({
      id: Type.String(),
      chaos_type: Type.String(),
      state: Type.String(),
      targets: Type.Array(Type.String(), { description: 'Names of nodes.' }),
      params: anyObject(),
    }),
    { description: 'Faults that were live at some time while it was taken.' },
  ),
  complete: Type.Boolean(),
  missing: Type.Array(Type.String(), { description: 'Dotted names of what could not be read of the state.' }),
  fingerprint: Fingerprint.ref,
};

export const CaptureSummary = component<SummaryView>('CaptureSummary')(
  Type.Object(summary, { description: 'A capture without what it holds.' }),
);

export const Capture = component<CaptureView>('Capture')(
  Type.Object(
    { ...summary, nodes, state: anyObject({ description: 'In the terms of the system.' }) },
    { description: 'A stored snapshot of the state of a subject.' },
  ),
);

/** A page of captures. */
export interface CaptureList {
  captures: SummaryView[];
  next_cursor: string | null;
}

export const CaptureList = component<CaptureList>('CaptureList')(
  Type.Object({ captures: Type.Array(CaptureSummary.ref), next_cursor: NextCursor }),
);

/** Body of POST …/captures. */
export interface CaptureRequest {
  label?: string;
}

export const CaptureRequest = component<CaptureRequest>('CaptureRequest')(
  Type.Object(
    { label: Type.Optional(Type.String({ minLength: 1, maxLength: 200, description: 'A word of your own, `before` say.' })) },
    { ...strict, description: 'May be left out.' },
  ),
);

const changes = (description: string) =>
  Type.Array(
    Type.Object({
      path: Type.String({
        description:
          'Dotted, from `nodes` or `state` on (of a fingerprint, from itself). An element of a list is named by its `name`, `node`, `key` or `id`, the first that all have and none shares, else by its place; names with a dot stand in quotes.',
      }),
      change: words(['added', 'removed', 'changed', 'type_changed']),
      before: Type.Unknown({ description: 'Null, too, where there was nothing.' }),
      after: Type.Unknown({ description: 'Null, too, where there is nothing.' }),
      delta: nullable(Type.Number(), { description: '`after` less `before`, of numbers.' }),
    }),
    { description },
  );

export const Comparison = component<ComparisonView>('Comparison')(
  Type.Object(
    {
      a: CaptureSummary.ref,
      b: CaptureSummary.ref,
      comparable: Type.Boolean({
        description: 'Both are of the same system: of each service that has a container in both, image and definition are the same.',
      }),
      equal: Type.Boolean({ description: 'Nodes and states differ in nothing but what is masked, and all could be read in both.' }),
      fingerprint: changes('How the fingerprints differ.'),
      changes: changes('How nodes and states differ.'),
      masked: changes('Differences in what changes by itself; of two generations, in what is another after each reset too.'),
      unknown: Type.Array(Type.String(), { description: 'What could not be read in one of them, or in both.' }),
    },
    { description: 'How two captures differ.' },
  ),
);
