import { Type } from 'typebox';
import type { Fault as FaultView } from '../../faults/fault.ts';
import { deadline } from '../../lib/until.ts';
import { send } from '../answer.ts';
import type { App, Deps } from '../deps.ts';
import { reading } from '../hang-up.ts';
import { operation } from '../operation-schema.ts';
import { pageOf } from '../pages.ts';
import { brief, follow } from '../running.ts';
import { ChaosTypeList } from '../schemas/chaos-type.ts';
import { Fault, FaultList, FaultPlan, FaultRenewal, HealedFaults } from '../schemas/fault.ts';
import { FaultRequest } from '../schemas/fault-request.ts';
import { FaultPageQuery } from '../schemas/page.ts';
import { FaultParams, SubjectParams } from '../schemas/params.ts';

const planMs = 60_000;

/** Disturbing a subject, and undoing it. */
export function faultRoutes(app: App, { control, once }: Deps): void {
  const chaosTypes = operation('GET', {
    id: 'listChaosTypes',
    tag: 'Faults',
    summary: 'List the chaos types of a subject',
    description: 'One that cannot be had here says why in `reason`.',
    params: SubjectParams,
    success: { 200: { description: 'All of them.', body: ChaosTypeList } },
    errors: ['engine_unavailable', 'engine_error'],
  });
  app.get('/v1/subjects/:subject/chaos-types', { schema: chaosTypes }, async (request, reply): Promise<ChaosTypeList> => {
    return { chaos_types: await control.chaosTypes(request.params.subject, reading(reply)) };
  });

  const inject = operation('POST', {
    id: 'injectFault',
    tag: 'Faults',
    summary: 'Inject a fault',
    description:
      'Chooses the targets, makes the undo durable, acts, and answers with measured evidence that the fault took hold. A fault without effect is undone and is `effect_not_observed`. It is healed by the caller, by its time to live, by a reset, or by a restart of the service.',
    params: SubjectParams,
    body: FaultRequest.ref,
    examples: {
      node_kill: { summary: 'Kill a node, chosen by the seed', value: { chaos_type: 'node_kill', seed: 7 } },
      baseline: { summary: 'The baseline: the same path, no effect', value: { chaos_type: 'none' } },
      dry_run: { summary: 'What would be killed?', value: { chaos_type: 'node_kill', seed: 7, dry_run: true } },
      latency: { summary: 'Delay what leaves a node', value: { chaos_type: 'latency', params: { delay_ms: 20, jitter_ms: 5 }, seed: 7 } },
      partition: { summary: 'Cut a node off from all others', value: { chaos_type: 'network_partition', seed: 11, ttl_ms: 60_000 } },
      short: { summary: 'Healed by itself after a minute', value: { chaos_type: 'node_kill', ttl_ms: 60_000 } },
    },
    success: {
      200: { description: 'The plan (`dry_run: true`).', body: FaultPlan, direct: true },
      201: { description: 'The fault.', body: Fault, headers: { Location: Type.String({ description: 'The fault.' }) } },
    },
    errors: [
      'unknown_chaos_type',
      'unknown_target',
      'subject_busy',
      'fault_conflict',
      'port_taken',
      'subject_not_running',
      'no_candidate',
      'chaos_unavailable',
      'effect_not_observed',
      'engine_unavailable',
      'engine_error',
      'toolbox_unavailable',
      'toolbox_error',
    ],
    operation: true,
  });
  app.post('/v1/subjects/:subject/faults', { schema: inject }, async (request, reply) => {
    const { subject } = request.params;
    const { dry_run, ...fault } = request.body;
    const plan = async () => {
      const signal = deadline('planning a fault', planMs);
      try {
        return { status: 200, headers: {}, body: await control.planFault(subject, fault, signal) };
      } finally {
        signal[Symbol.dispose]();
      }
    };
    const begin = () => {
      if (dry_run === true) return brief(plan());
      return follow(request, control.inject(subject, fault), (body) => ({
        status: 201,
        headers: { location: `/v1/subjects/${subject}/faults/${(body as FaultView).id}` },
        body,
      }));
    };
    return send(reply, await once.answer(request, begin));
  });

  const list = operation('GET', {
    id: 'listFaults',
    tag: 'Faults',
    summary: 'List the faults of a subject',
    description: 'Active and past ones, newest first.',
    params: SubjectParams,
    query: FaultPageQuery,
    success: { 200: { description: 'A page of faults.', body: FaultList } },
  });
  app.get('/v1/subjects/:subject/faults', { schema: list }, async (request): Promise<FaultList> => {
    const { items, next_cursor } = control.faults(request.params.subject, pageOf(request.query));
    return { faults: items, next_cursor };
  });

  const one = operation('GET', {
    id: 'getFault',
    tag: 'Faults',
    summary: 'Show a fault',
    description: 'As it is now: targets, evidence, and how the heal went.',
    params: FaultParams,
    success: { 200: { description: 'The fault.', body: Fault } },
    errors: ['fault_not_found'],
  });
  app.get('/v1/subjects/:subject/faults/:fault', { schema: one }, async (request) =>
    control.fault(request.params.subject, request.params.fault),
  );

  const renew = operation('PATCH', {
    id: 'renewFault',
    tag: 'Faults',
    summary: 'Renew a fault',
    description: 'Its time to live begins anew, now.',
    params: FaultParams,
    body: FaultRenewal.ref,
    examples: { longer: { summary: 'Another ten minutes', value: { ttl_ms: 600_000 } } },
    success: { 200: { description: 'The fault.', body: Fault } },
    errors: [
      'fault_not_found',
      'fault_ended',
      'engine_unavailable',
      'engine_error',
      'toolbox_unavailable',
      'toolbox_error',
      'ledger_unavailable',
    ],
  });
  app.patch('/v1/subjects/:subject/faults/:fault', { schema: renew }, async (request) => {
    return control.renewFault(request.params.subject, request.params.fault, request.body.ttl_ms);
  });

  const heal = operation('DELETE', {
    id: 'healFault',
    tag: 'Faults',
    summary: 'Heal a fault',
    description: 'Undoes it and proves that it is undone. A fault that is healed already is answered as it is.',
    params: FaultParams,
    success: { 200: { description: 'The fault; `heal` says how it went.', body: Fault } },
    errors: ['fault_not_found', 'subject_busy'],
    operation: true,
  });
  app.delete('/v1/subjects/:subject/faults/:fault', { schema: heal }, async (request, reply) => {
    const { subject, fault } = request.params;
    const begin = () => follow(request, control.heal(subject, fault), (body) => ({ status: 200, headers: {}, body }));
    return send(reply, await once.answer(request, begin));
  });

  const healAll = operation('DELETE', {
    id: 'healAllFaults',
    tag: 'Faults',
    summary: 'Heal all faults of a subject',
    description: 'Always gets through: it cancels whatever holds the subject, then heals.',
    params: SubjectParams,
    success: { 200: { description: 'The faults that were healed.', body: HealedFaults } },
    operation: true,
  });
  app.delete('/v1/subjects/:subject/faults', { schema: healAll }, async (request, reply) => {
    const begin = () => follow(request, control.healAll(request.params.subject), (body) => ({ status: 200, headers: {}, body }));
    return send(reply, await once.answer(request, begin));
  });
}
