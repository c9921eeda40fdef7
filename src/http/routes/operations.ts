import { Type } from 'typebox';
import { send } from '../answer.ts';
import type { App, Deps } from '../deps.ts';
import { reading } from '../hang-up.ts';
import { operation } from '../operation-schema.ts';
import { brief } from '../running.ts';
import { Operation, OperationQuery } from '../schemas/operation.ts';
import { OperationParams } from '../schemas/params.ts';
import { strict } from '../schemas/types.ts';

/** The handles of what takes a while. */
export function operationRoutes(app: App, { control, once }: Deps): void {
  const one = operation('GET', {
    id: 'getOperation',
    tag: 'Operations',
    summary: 'Show an operation',
    description: 'As it is; with `wait_ms` as it is at its end or when the wait is over.',
    params: OperationParams,
    query: OperationQuery,
    success: { 200: { description: 'The operation.', body: Operation } },
    errors: ['operation_not_found'],
  });
  app.get('/v1/operations/:operation', { schema: one }, async (request, reply) => {
    const { wait_ms: waitMs = 0 } = request.query;
    return control.operation(request.params.operation, waitMs, reading(reply, waitMs));
  });

  const cancel = operation('POST', {
    id: 'cancelOperation',
    tag: 'Operations',
    summary: 'Cancel an operation',
    description: 'Asks it to stop and answers it, at once. An operation that has ended is answered as it is.',
    params: OperationParams,
    body: Type.Object({}, strict),
    examples: { plain: { summary: 'The body may be left out', value: {} } },
    success: { 200: { description: 'The operation.', body: Operation } },
    errors: ['operation_not_found'],
  });
  app.post('/v1/operations/:operation/cancel', { schema: cancel }, async (request, reply) => {
    const begin = async () => ({ status: 200, headers: {}, body: control.cancelOperation(request.params.operation) });
    return send(reply, await once.answer(request, () => brief(begin())));
  });
}
