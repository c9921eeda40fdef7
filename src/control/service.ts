import type { Role } from '../kind/adapter.ts';
import { observe, toNodes } from '../kind/observe.ts';
import { Problem } from '../lib/problem.ts';
import { deadline } from '../lib/until.ts';
import type { Control, EventSource, HealthView, SubjectView } from './api.ts';
import { captures, captureUse, compareUse, findCapture } from './capture_use.ts';
import { chaosTypeViews, kindView } from './catalogue.ts';
import type { Context } from './context.ts';
import { deleteUse } from './delete_use.ts';
import { find, healAllUse, healUse, injectUse, planUse, renewUse } from './fault_use.ts';
import type { Host } from './host.ts';
import { ledgerProbe } from './ledger_probe.ts';
import type { Lifecycle } from './lifecycle.ts';
import { paged } from './page.ts';
import { resetUse } from './reset_use.ts';
import { readState } from './state_use.ts';
import { toProblem } from './to_problem.ts';
import { subjectView } from './views.ts';

const askMs = 15_000;
const rolesMs = 3000;
const readyMs = 2000;
const healthWaitMs = 60_000;

/** The use cases behind the HTTP surface. */
export function controlService(
  context: Context,
  lifecycle: Pick<Lifecycle, 'registry' | 'expiry' | 'afterInjection'>,
  accepting: () => boolean,
): Control {
  const { registry, expiry } = lifecycle;
  const mutable = (name: string): Host => {
    if (!accepting()) throw new Problem('shutting_down', 'The service is shutting down.');
    return registry.require(name);
  };
  const writable = ledgerProbe(context);
  return {
    kinds: (signal) => asking('kinds', signal, (s) => Promise.all(context.kinds.map((k) => kindView(context, k, s)))),
    kind: (name, signal) => asking('kind', signal, (s) => kindView(context, registry.kind(name), s)),

    subjects: (signal) => asking('subjects', signal, (s) => Promise.all(registry.all().map((h) => view(context, h, s)))),
    subject: (name, signal) => asking('subject', signal, (s) => view(context, registry.require(name), s)),
    createSubject: (request, signal) =>
      asking('subject', signal, async () => {
        if (!accepting()) throw new Problem('shutting_down', 'The service is shutting down.');
        const host = await registry.create(request.kind, request.name);
        context.events.emit('subject.created', host.subject.name, { kind: request.kind });
        return subjectView(host, [], [], context.advertiseHost);
      }),
    deleteSubject: (name) => deleteUse(context, registry, mutable(name)),
    reset: (name, { timeoutMs }) => resetUse(context, mutable(name), timeoutMs),

    health: (name, options, signal) => health(registry.require(name), options, signal),
    state: (name, signal) => asking('state', signal, async (s) => (await readState(context, registry.require(name), s)).view),

    capture: (name, options) => unbound('capture', (s) => captureUse(context, registry.require(name), options, s)),
    captures: (name, page) => captures(context, registry, name, page),
    findCapture: (name, id) => findCapture(context, registry, name, id),
    compareCaptures: (name, a, b) => compareUse(context, registry, name, a, b),

    chaosTypes: (name, signal) => asking('chaos types', signal, (s) => chaosTypeViews(context, registry.require(name), s)),
    planFault: (name, request, signal) => asking('plan', signal, (s) => planUse(context, registry.require(name), request, s)),
    inject: (name, request) => injectUse(context, mutable(name), { expiry, injected: (h, id) => lifecycle.afterInjection(h, id) }, request),
    faults: (name, page) => paged(context.store.of(registry.require(name).subject.name), page, (f) => f.id),
    fault: (name, id) => find(context, registry.require(name), id).fault,
    renewFault: (name, id, ttlMs) => unbound('renewal', (s) => renewUse(context, mutable(name), expiry, id, ttlMs, s)),
    heal: (name, id) => healUse(context, mutable(name), id),
    healAll: (name) => healAllUse(context, mutable(name), 'api'),

    operation: (id, waitMs, signal) => context.operations.wait(id, waitMs, signal),
    cancelOperation: (id) => context.operations.cancel(id),

    events: eventSource(context),
    readiness: async (signal) => {
      const [engine, ledger] = await Promise.all([reachable(context, signal), writable(signal)]);
      return { engine, ledger };
    },
    metrics: async () => {
      for (const host of registry.all())
        context.metrics.activeFaults.set({ subject: host.subject.name }, context.store.live(host.subject.name).length);
      return { contentType: context.metrics.registry.contentType, text: await context.metrics.registry.metrics() };
    },
  };
}

/** Bounds a question, and makes every error one of the table. */
async function asking<T>(what: string, signal: AbortSignal, ask: (signal: AbortSignal) => Promise<T>): Promise<T> {
  using limited = deadline(what, askMs, signal);
  try {
    return await ask(limited);
  } catch (error) {
    if (limited.aborted && !signal.aborted)
      throw new Problem('engine_unavailable', `The Docker engine did not answer within ${askMs} ms.`, {}, { cause: error });
    throw toProblem(error);
  }
}

/** The same for what must not be half done because its caller went away. */
function unbound<T>(what: string, ask: (signal: AbortSignal) => Promise<T>): Promise<T> {
  return asking(what, new AbortController().signal, ask);
}

async function view(context: Context, host: Host, signal: AbortSignal): Promise<SubjectView> {
  const observed = await observe(context.engine, context.owner, host.subject, signal);
  return subjectView(host, observed, await rolesNow(context, host, toNodes(host.subject, observed), signal), context.advertiseHost);
}

/** Roles are an extra in a view: a system that cannot be asked has none. */
async function rolesNow(context: Context, host: Host, nodes: ReturnType<typeof toNodes>, signal: AbortSignal): Promise<Role[]> {
  if (nodes.every((n) => !n.running)) return [];
  using limited = deadline('roles', rolesMs, signal);
  try {
    return await host.subject.kind.adapter.roles(host.reach.toolkit(host.subject.name, nodes, context.env), limited);
  } catch (error) {
    signal.throwIfAborted();
    context.log.debug({ error, subject: host.subject.name }, 'roles could not be asked');
    return [];
  }
}

async function health(
  host: Host,
  options: { fresh?: boolean; wait?: boolean; timeoutMs?: number },
  signal: AbortSignal,
): Promise<HealthView> {
  if (options.wait === true) return host.poller.wait((r) => r.healthy, options.timeoutMs ?? healthWaitMs, signal);
  if (options.fresh !== true) return host.poller.latest;
  return asking('health', signal, (s) => host.poller.fresh(s));
}

function eventSource({ events }: Context): EventSource {
  return {
    after: (after, limit, subject) => events.after(after, limit, (e) => subject === undefined || e.subject === subject),
    get first() {
      return events.first;
    },
    get last() {
      return events.last;
    },
    subscribe: (listener) => events.subscribe(listener),
  };
}

async function reachable(context: Context, signal: AbortSignal): Promise<boolean> {
  using limited = deadline('engine', readyMs, signal);
  try {
    await context.engine.ping(limited);
    return true;
  } catch (error) {
    signal.throwIfAborted();
    context.log.debug({ error }, 'the engine does not answer');
    return false;
  }
}
