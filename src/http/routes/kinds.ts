import type { App, Deps } from '../deps.ts';
import { reading } from '../hang-up.ts';
import { operation } from '../operation-schema.ts';
import { pageByName } from '../pages.ts';
import { Kind, KindList } from '../schemas/kind.ts';
import { KindPageQuery } from '../schemas/page.ts';
import { KindParams } from '../schemas/params.ts';

/** What can be put under test here. */
export function kindRoutes(app: App, { control }: Deps): void {
  const list = operation('GET', {
    id: 'listKinds',
    tag: 'Kinds',
    summary: 'List the kinds',
    description: 'What can be tested here, with node types, roles, chaos types, images and whether each image is present. By name.',
    query: KindPageQuery,
    success: { 200: { description: 'A page of kinds.', body: KindList } },
    errors: ['engine_unavailable'],
  });
  app.get('/v1/kinds', { schema: list }, async (request, reply): Promise<KindList> => {
    const { items, next_cursor } = pageByName('kind', await control.kinds(reading(reply)), request.query);
    return { kinds: items, next_cursor };
  });

  const one = operation('GET', {
    id: 'getKind',
    tag: 'Kinds',
    summary: 'Show a kind',
    description: 'A kind that cannot be had here says why in `reason` and `detail`.',
    params: KindParams,
    success: { 200: { description: 'The kind.', body: Kind } },
    errors: ['kind_not_found', 'engine_unavailable'],
  });
  app.get('/v1/kinds/:kind', { schema: one }, async (request, reply) => control.kind(request.params.kind, reading(reply)));
}
