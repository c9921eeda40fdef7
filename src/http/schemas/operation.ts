import { Type } from 'typebox';
import type { Operation as OperationView } from '../../control/operation.ts';
import { Problem } from './problem.ts';
import { PhaseTimes } from './subject.ts';
import { component, nullable, strict, time, words } from './types.ts';

export const OperationQuery = Type.Object(
  {
    wait_ms: Type.Optional(
      Type.Integer({ minimum: 0, maximum: 600_000, default: 0, description: 'Waits so long for the end, then answers what is.' }),
    ),
  },
  strict,
);

export const Operation = component<OperationView>('Operation')(
  Type.Object(
    {
      id: Type.String(),
      kind: words(['reset', 'delete', 'inject', 'heal', 'heal_all', 'recover', 'reapply']),
      subject: Type.String(),
      state: words(['running', 'succeeded', 'failed', 'cancelled']),
      progress: Type.Object({
        phase: nullable(Type.String(), { description: 'What it does now, for people.' }),
        phases: PhaseTimes,
      }),
      started_at: time(),
      ended_at: nullable(time()),
      result: Type.Unknown({ description: 'The body that the same call gives without `Prefer: respond-async`; null until it succeeded.' }),
      error: nullable(Problem.ref),
    },
    { description: 'The handle of anything that takes a while.' },
  ),
);
