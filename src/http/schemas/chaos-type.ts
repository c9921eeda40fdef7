import { Type } from 'typebox';
import type { ChaosTypeView } from '../../control/api.ts';
import { anyObject, component, nullable } from './types.ts';

export const ChaosType = component<ChaosTypeView>('ChaosType')(
  Type.Object(
    {
      name: Type.String(),
      summary: Type.String(),
      available: Type.Boolean(),
      reason: nullable(Type.String(), { description: 'A reason code when it is not available.' }),
      detail: nullable(Type.String(), { description: 'The reason in words.' }),
      mechanism: nullable(Type.String(), { description: 'How it would be done here: `engine`, `netem`, `nfqueue`, `nft_netdev`, …' }),
      params_schema: anyObject({ description: 'JSON Schema of `params`.' }),
      default_target: anyObject({ description: 'The target when a request names none.' }),
    },
    { description: 'A way of disturbing a subject.' },
  ),
);

/** All chaos types of a subject. */
export interface ChaosTypeList {
  chaos_types: ChaosTypeView[];
}

export const ChaosTypeList = component<ChaosTypeList>('ChaosTypeList')(Type.Object({ chaos_types: Type.Array(ChaosType.ref) }));
