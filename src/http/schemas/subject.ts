import { Type } from 'typebox';
import type { ResetResult, SubjectView } from '../../control/api.ts';
import { NextCursor } from './page.ts';
import { component, nullable, strict, words } from './types.ts';

/** As the engine has a node's container. */
export const nodeState = words(['created', 'running', 'paused', 'restarting', 'removing', 'exited', 'dead', 'absent']);

export const Subject = component<SubjectView>('Subject')(
  Type.Object(
    {
      name: Type.String(),
      kind: Type.String(),
      project: Type.String({ description: 'The compose project: `docker compose -p <project> ps` shows it.' }),
      phase: words(['absent', 'resetting', 'running', 'failed', 'deleting', 'unknown']),
      generation: Type.Integer({ description: 'Counts the resets.' }),
      nodes: Type.Array(
        Type.Object({
          name: Type.String({ description: 'The compose service.' }),
          type: Type.String(),
          container: Type.String(),
          container_id: nullable(Type.String()),
          state: nodeState,
          role: Type.Optional(Type.String({ description: 'What the node is now, in the terms of the system.' })),
        }),
      ),
      endpoints: Type.Array(
        Type.Object({
          node: Type.String(),
          port: Type.Integer(),
          protocol: words(['tcp', 'udp']),
          outside: nullable(Type.String(), { description: '`host:port` for a runner elsewhere; null when it is not published.' }),
          inside: Type.String({ description: '`host:port` on the network of the subject.' }),
        }),
      ),
      operation: nullable(Type.String(), { description: 'The operation that holds the subject now.' }),
    },
    { description: 'One live copy of a kind.' },
  ),
);

/** A page of subjects. */
export interface SubjectList {
  subjects: SubjectView[];
  next_cursor: string | null;
}

export const SubjectList = component<SubjectList>('SubjectList')(
  Type.Object({ subjects: Type.Array(Subject.ref), next_cursor: NextCursor }),
);

/** Body of POST /v1/subjects. */
export interface NewSubject {
  kind: string;
  name?: string;
}

export const NewSubject = component<NewSubject>('NewSubject')(
  Type.Object(
    {
      kind: Type.String({ minLength: 1, maxLength: 64, description: 'One of GET /v1/kinds.' }),
      name: Type.Optional(
        Type.String({ pattern: '^[a-z0-9][a-z0-9_-]{0,39}$', description: 'Made from the kind and a number when it is not given.' }),
      ),
    },
    strict,
  ),
);

/** Body of a reset. */
export interface ResetRequest {
  timeout_ms?: number;
}

export const ResetRequest = component<ResetRequest>('ResetRequest')(
  Type.Object(
    {
      timeout_ms: Type.Optional(
        Type.Integer({ minimum: 1000, maximum: 600_000, description: 'How long the subject may take to be proven healthy.' }),
      ),
    },
    strict,
  ),
);

export const PhaseTimes = Type.Array(Type.Object({ name: Type.String(), duration_ms: Type.Number() }));

export const Reset = component<ResetResult>('Reset')(
  Type.Object(
    {
      operation: Type.String(),
      subject: Type.String(),
      generation: Type.Integer(),
      healthy: Type.Literal(true),
      duration_ms: Type.Number(),
      phases: PhaseTimes,
      notes: Type.Array(Type.String(), { description: 'What else happened on the way, for people.' }),
    },
    { description: 'A reset that ended with the subject proven healthy.' },
  ),
);
