import { Type } from 'typebox';
import type { FaultRequest as ControlRequest } from '../../control/api.ts';
import type { TargetRequest } from '../../faults/select.ts';
import { anyObject, component, strict, words } from './types.ts';

export const Target = component<TargetRequest>('Target')(
  Type.Object(
    {
      node: Type.Optional(Type.String({ minLength: 1, maxLength: 128, description: 'A node by its name, which is its compose service.' })),
      type: Type.Optional(Type.String({ minLength: 1, maxLength: 64, description: 'Among the nodes of this type.' })),
      role: Type.Optional(Type.String({ minLength: 1, maxLength: 64, description: 'Among the nodes that have this role now.' })),
      count: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, description: 'So many of them; 1 when neither is given.' })),
      share: Type.Optional(words(['one', 'minority', 'majority', 'all'])),
    },
    {
      ...strict,
      oneOf: [{ required: ['node'] }, { required: ['type'] }, { required: ['role'] }],
      not: { type: 'object', properties: { count: {}, share: {} }, required: ['count', 'share'] },
      description: 'Whom to hit: exactly one of `node`, `type` and `role`; `count` or `share` say how many of them.',
    },
  ),
);

/** Body of POST …/faults. */
export interface FaultRequest extends ControlRequest {
  dry_run?: boolean;
}

export const FaultRequest = component<FaultRequest>('FaultRequest')(
  Type.Object(
    {
      chaos_type: Type.String({ minLength: 1, maxLength: 64, description: 'One of GET …/chaos-types.' }),
      target: Type.Optional(Target.ref),
      params: Type.Optional(anyObject({ description: 'As the `params_schema` of the chaos type says.' })),
      seed: Type.Optional(
        Type.Integer({
          minimum: 0,
          maximum: Number.MAX_SAFE_INTEGER,
          description: 'The same seed and candidates give the same targets. Made, and answered, when it is not given.',
        }),
      ),
      ttl_ms: Type.Optional(
        Type.Integer({ minimum: 1, maximum: 86_400_000, default: 600_000, description: 'It is healed when this time is over.' }),
      ),
      require_effect: Type.Optional(
        Type.Boolean({ default: true, description: 'A fault without observable effect is undone and answered as `effect_not_observed`.' }),
      ),
      on_target_restart: Type.Optional(
        words(['reapply', 'once'], { description: 'What to do when a target is restarted while the fault is active.' }),
      ),
      dry_run: Type.Optional(Type.Boolean({ default: false, description: 'Answers the plan; nothing is stored or changed.' })),
    },
    strict,
  ),
);
