import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import fastify, { type FastifyBaseLogger, type FastifyInstance, type FastifySchemaValidationError, LogController } from 'fastify';
import type { Heartbeat } from './heartbeat.ts';
import type { Metrics } from './metrics.ts';
import { Problem, toBody } from './problem.ts';
import { CheckBody, KeyParams, LimitBody, LimitsBody } from './schemas.ts';
import type { CheckResult, Store } from './store.ts';

export interface Parts {
  store: Store;
  heartbeat: Heartbeat;
  metrics: Metrics;
  node: { id: string; address: string; startedAt: number; instance: string };
  logger: FastifyBaseLogger;
}

/** The limiter's HTTP API; see README.md for the routes. */
export function buildApp({ store, heartbeat, metrics, node, logger }: Parts) {
  const app = fastify({
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: 256 * 1024,
    requestTimeout: 10_000,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: 1024 },
    schemaErrorFormatter: (errors, where) => new Error(errors.map((e) => finding(e, where)).join('; ')),
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false } },
  }).withTypeProvider<TypeBoxTypeProvider>();
  app.removeContentTypeParser('text/plain');
  answerProblems(app);

  app.post('/check', { schema: { body: CheckBody } }, async (request, reply) => {
    const started = performance.now();
    const seconds = () => (performance.now() - started) / 1000;
    try {
      const result = await store.check(request.body);
      metrics.check(result.allowed ? 'allowed' : 'refused', seconds());
      reply.code(result.allowed ? 200 : 429).headers(rateHeaders(result));
      const { allowed, ...rest } = result;
      return { allowed, key: request.body.key, ...rest, node: node.id };
    } catch (error) {
      metrics.check('unavailable', seconds());
      throw error;
    }
  });

  app.get('/api/limits', async () => ({ default: store.defaults, limits: await store.limits() }));
  app.put('/api/limits', { schema: { body: LimitsBody } }, async (request) => {
    const { limits } = request.body;
    const twice = limits.find((l, i) => limits.findIndex((m) => m.key === l.key) !== i);
    if (twice) throw new Problem('invalid_request', `body/limits: the key ${twice.key} is there twice`);
    await store.replaceLimits(limits);
    return { default: store.defaults, limits: await store.limits() };
  });
  app.get('/api/limits/:key', { schema: { params: KeyParams } }, async ({ params: { key } }) => {
    const stored = await store.limit(key);
    return { key, ...(stored ?? store.defaults), source: stored ? 'stored' : 'default' };
  });
  app.put('/api/limits/:key', { schema: { params: KeyParams, body: LimitBody } }, async ({ params: { key }, body }) => {
    await store.putLimit(key, body);
    return { key, ...body, source: 'stored' };
  });
  app.delete('/api/limits/:key', { schema: { params: KeyParams } }, async ({ params: { key } }) => {
    await store.deleteLimit(key);
    return { key, ...store.defaults, source: 'default' };
  });

  app.get('/api/counters', async () => store.counters());
  app.post('/api/counters/:key/reset', { schema: { params: KeyParams } }, async ({ params: { key } }) => ({
    key,
    removed: await store.resetCounter(key),
  }));
  app.get('/api/blocks', async () => ({ blocks: await store.blocks() }));
  app.get('/api/nodes', async () => ({ nodes: await store.nodes() }));

  app.get('/health', async () => {
    await store.ping();
    return {
      status: 'ok',
      node: node.id,
      address: node.address,
      instance: node.instance,
      started_at: new Date(node.startedAt).toISOString(),
      registered: heartbeat.registered,
    };
  });
  app.get('/metrics', async (_request, reply) => {
    reply.type(metrics.registry.contentType);
    return metrics.registry.metrics();
  });
  return app;
}

/** One finding of the schema as a sentence, with the name of a field that must not be there. */
function finding({ instancePath, message, params }: FastifySchemaValidationError, where: string): string {
  const extra = typeof params.additionalProperty === 'string' ? ` (${params.additionalProperty})` : '';
  return `${where}${instancePath} ${message ?? 'is not valid'}${extra}`;
}

/** The headers of an answer to a check. Times are whole seconds from now, rounded up, so that no clocks need to agree. */
export function rateHeaders({ allowed, limit, remaining, reset_ms }: CheckResult): Record<string, string> {
  const seconds = String(Math.ceil(reset_ms / 1000));
  const headers = { 'X-RateLimit-Limit': String(limit), 'X-RateLimit-Remaining': String(remaining), 'X-RateLimit-Reset': seconds };
  return allowed ? headers : { ...headers, 'Retry-After': seconds };
}

function answerProblems(app: Pick<FastifyInstance, 'setErrorHandler' | 'setNotFoundHandler'>): void {
  app.setErrorHandler((error, request, reply) => {
    const { status, body } = toBody(error);
    if (status === 500) request.log.error({ err: error, url: request.url }, 'a request failed');
    if (status === 503) reply.header('Retry-After', '1');
    return reply.code(status).type('application/problem+json').send(body);
  });
  app.setNotFoundHandler((request, reply) => {
    const { status, body } = toBody(new Problem('not_found', `${request.method} ${request.url.slice(0, 200)}: no such route.`));
    return reply.code(status).type('application/problem+json').send(body);
  });
}
