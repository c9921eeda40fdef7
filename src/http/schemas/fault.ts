import { Type } from 'typebox';
import type { FaultPlanView } from '../../control/api.ts';
import type { Effect, EndedBy, Evidence, Fault as FaultView } from '../../faults/fault.ts';
import { NextCursor } from './page.ts';
import { anyObject, component, nullable, strict, time, words } from './types.ts';

const Seed = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });

const Targets = Type.Array(Type.Object({ node: Type.String(), container: Type.String(), container_id: Type.String() }));

const Selection = Type.Object(
  {
    candidates: Type.Array(Type.String()),
    algorithm: words(['sha256-v1']),
    draws: Type.Array(Type.Integer(), { description: 'The index chosen at each draw, among the candidates left.' }),
    proof: Type.Optional(
      Type.Array(anyObject(), { description: 'Of a target by role: for each target the system’s own reply that proves the role.' }),
    ),
  },
  { description: 'Why these targets: enough to choose them again.' },
);

const Measured = Type.Unsafe<Evidence>({
  type: 'object',
  required: ['check', 'before', 'after'],
  properties: { check: { type: 'string' }, before: {}, after: {} },
  additionalProperties: true,
});

const MeasuredEffect = Type.Unsafe<Effect>(
  Type.Object(
    {
      verdict: words(['confirmed', 'not_observed', 'inconclusive']),
      observed_ms: Type.Number({
        description: 'From the first act to the observation. Whether it lasts may have been looked at for longer.',
      }),
      between: Type.Unsafe<[string, string]>({
        description: 'The first act, and the observation.',
        type: 'array',
        items: { type: 'string', format: 'date-time' },
        minItems: 2,
        maxItems: 2,
      }),
      evidence: Type.Array(Measured),
    },
    { description: 'The measured evidence.' },
  ),
);

const endedBy: readonly EndedBy[] = ['api', 'ttl', 'reset', 'recovery', 'watchdog', 'restart_policy', 'outside'];

const Heal = Type.Object(
  {
    verdict: words(['clean', 'dirty', 'unknown']),
    residue: Type.Array(Type.Object({ node: Type.String(), what: Type.String() })),
    undone_ms: Type.Number({ description: 'Until the undo steps were done.' }),
    recovered_ms: nullable(Type.Number(), { description: 'Until the nodes were proven healthy; null: they were not.' }),
  },
  { description: 'How the heal went.' },
);

export const Fault = component<FaultView>('Fault')(
  Type.Object(
    {
      id: Type.String(),
      subject: Type.String(),
      generation: Type.Integer(),
      chaos_type: Type.String(),
      state: words(['planned', 'injecting', 'active', 'healing', 'healed', 'failed', 'residue']),
      seed: Seed,
      targets: Targets,
      selection: Selection,
      params: anyObject(),
      mechanism: Type.String(),
      effect: nullable(MeasuredEffect, { description: 'Null until it was measured.' }),
      injected_at: nullable(time()),
      expires_at: time({ description: 'It is healed then, whatever becomes of the caller.' }),
      guarded: Type.Boolean({ description: 'Something outside the service undoes it when its time is up.' }),
      ended_by: nullable(words(endedBy)),
      heal: nullable(Heal, { description: 'Null until it was healed.' }),
      on_target_restart: words(['reapply', 'once'], {
        description: 'What becomes of a fault that ends with its target’s process when the target restarts.',
      }),
      uncovered: Type.Array(
        Type.Object({
          node: Type.String(),
          from: time(),
          until: nullable(time(), { description: 'Null: still uncovered.' }),
          ms: nullable(Type.Number()),
          verdict: nullable(words(['confirmed', 'not_observed', 'inconclusive']), { description: 'The witness when it was put back.' }),
        }),
        { description: 'Times in which it was not in force although it was active: from a target’s end until it was put back.' },
      ),
      metadata: anyObject({ description: 'What `cleanup_chaos` of the original protocol needs, `fault_id` included.' }),
    },
    { description: 'One injected disturbance.' },
  ),
);

/** A page of faults. */
export interface FaultList {
  faults: FaultView[];
  next_cursor: string | null;
}

export const FaultList = component<FaultList>('FaultList')(Type.Object({ faults: Type.Array(Fault.ref), next_cursor: NextCursor }));

/** What heal-all answers. */
export interface HealedFaults {
  faults: FaultView[];
}

export const HealedFaults = component<HealedFaults>('HealedFaults')(Type.Object({ faults: Type.Array(Fault.ref) }));

export const FaultPlan = component<FaultPlanView>('FaultPlan')(
  Type.Object(
    {
      dry_run: Type.Literal(true),
      subject: Type.String(),
      chaos_type: Type.String(),
      seed: Seed,
      targets: Targets,
      selection: Selection,
      params: anyObject(),
      mechanism: Type.String(),
      plan: Type.Array(anyObject()),
      undo: Type.Array(anyObject()),
      ttl_ms: Type.Integer(),
    },
    { description: 'What an injection would do. Nothing is stored or changed.' },
  ),
);

const Ttl = Type.Integer({ minimum: 1, maximum: 86_400_000, description: 'Time to live from now; 24 hours at most.' });

/** Body of PATCH …/faults/{fault}. */
export interface FaultRenewal {
  ttl_ms: number;
}

export const FaultRenewal = component<FaultRenewal>('FaultRenewal')(Type.Object({ ttl_ms: Ttl }, strict));
