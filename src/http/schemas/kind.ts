import { Type } from 'typebox';
import type { KindView } from '../../control/api.ts';
import { NextCursor } from './page.ts';
import { component, mapOf, nullable } from './types.ts';

export const Kind = component<KindView>('Kind')(
  Type.Object(
    {
      name: Type.String(),
      summary: Type.String(),
      node_types: mapOf(Type.Array(Type.String()), { description: 'The names of the nodes, by type.' }),
      roles: Type.Array(Type.String(), { description: 'Roles that a target may name.' }),
      chaos_types: Type.Array(Type.String()),
      images: Type.Array(
        Type.Object({
          image: Type.String(),
          variable: nullable(Type.String(), { description: 'The environment variable that names another image.' }),
          present: Type.Boolean(),
          id: nullable(Type.String()),
          services: Type.Array(Type.String()),
        }),
      ),
      available: Type.Boolean({ description: 'A subject of this kind can be reset here and now.' }),
      reason: nullable(Type.String(), { description: 'A reason code when it is not available.' }),
      detail: nullable(Type.String()),
    },
    { description: 'A definition of a system that can be put under test.' },
  ),
);

/** A page of kinds. */
export interface KindList {
  kinds: KindView[];
  next_cursor: string | null;
}

export const KindList = component<KindList>('KindList')(Type.Object({ kinds: Type.Array(Kind.ref), next_cursor: NextCursor }));
