import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import { type FastifyBaseLogger, type FastifyInstance, fastify, LogController } from 'fastify';
import type { Logger } from 'pino';
import type { Control } from '../control/api.ts';
import { type Clock, systemClock } from '../lib/clock.ts';
import { Problem } from '../lib/problem.ts';
import { bodyLimit, readBodies } from './body.ts';
import { onClientError } from './client-error.ts';
import type { App, Deps } from './deps.ts';
import { type Gate, makeGate } from './gate.ts';
import { originForm } from './host.ts';
import { type IdempotencyStore, MemoryIdempotencyStore } from './idempotency-store.ts';
import { KnownPaths } from './known-paths.ts';
import { Once } from './once.ts';
import { describeApp, showContract } from './openapi.ts';
import { onError } from './problems.ts';
import { logRequests, requestId } from './request-log.ts';
import { captureRoutes } from './routes/captures.ts';
import { eventRoutes } from './routes/events.ts';
import { faultRoutes } from './routes/faults.ts';
import { healthRoutes } from './routes/health.ts';
import { homeRoutes } from './routes/home.ts';
import { kindRoutes } from './routes/kinds.ts';
import { operationRoutes } from './routes/operations.ts';
import { resetRoutes } from './routes/reset.ts';
import { serviceRoutes } from './routes/service.ts';
import { subjectRoutes } from './routes/subjects.ts';
import { components } from './schemas/index.ts';
import { validatorCompiler } from './validation.ts';
import { invalidRequest } from './validation-errors.ts';

declare module 'fastify' {
  interface FastifyInstance {
    /** The service is going away: nothing new is begun. */
    closing: () => boolean;
  }
}

export interface AppOptions {
  control: Control;
  logger: Logger | false;
  /** Null: none is needed. */
  token: string | null;
  /** Names, with or without a port, that may stand in `Host` beside the loopback ones. */
  allowedHosts: readonly string[];
  version: string;
  /** True from the moment a shutdown began. */
  shuttingDown?: () => boolean;
  /** In memory when it is not given. */
  idempotency?: IdempotencyStore;
  clock?: Clock;
}

/** The HTTP surface of the service, ready to listen or to be tested through `inject`. */
export async function buildApp(options: AppOptions): Promise<FastifyInstance> {
  const { control, logger, token, allowedHosts, version, shuttingDown = () => false, clock = systemClock } = options;
  const log: { loggerInstance: FastifyBaseLogger } | { logger: false } = logger === false ? { logger: false } : { loggerInstance: logger };
  let gate: Gate = async () => {
    throw new Error('the app is not ready');
  };
  const app: App = fastify({
    ...log,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'request_id' }),
    genReqId: requestId,
    bodyLimit,
    requestTimeout: 60_000,
    forceCloseConnections: true,
    return503OnClosing: false,
    clientErrorHandler: onClientError,
    // The gate looks at it; Node would answer without a body.
    http: { requireHostHeader: false },
    rewriteUrl: ({ url = '/' }) => originForm(url),
    schemaErrorFormatter: invalidRequest,
    // Paths that no route can match never reach the hooks.
    frameworkErrors: (error, request, reply) => {
      reply.header('x-request-id', request.id);
      gate(request, reply).then(
        () => onError(error, request, reply),
        (refusal) => onError(refusal, request, reply),
      );
    },
  }).withTypeProvider<TypeBoxTypeProvider>();

  let closed = false;
  app.decorate('closing', () => closed || shuttingDown());
  app.addHook('preClose', async () => {
    closed = true;
  });

  app.setValidatorCompiler(validatorCompiler());
  // Not the default serializer, which drops what a schema does not know; tests hold answers and schemas together.
  app.setSerializerCompiler(() => JSON.stringify);
  app.setErrorHandler(onError);
  for (const { schema } of components) app.addSchema(schema);

  const known = new KnownPaths();
  app.addHook('onRoute', ({ url, method }) => known.add(url, method));
  logRequests(app);
  gate = await makeGate(app, { token, allowedHosts });
  app.addHook('onRequest', gate);
  app.addHook('onRequest', async (request) => {
    // The router takes `/v1/subjects/` for a subject without a name.
    if (request.is404 || Object.values(request.params as object).includes('')) throw known.problem(request);
    const changes = request.method !== 'GET' && request.method !== 'HEAD';
    if (changes && app.closing()) throw new Problem('shutting_down', 'The service is shutting down and begins nothing new.');
  });
  app.setNotFoundHandler((request) => {
    throw known.problem(request);
  });
  readBodies(app);

  const deps: Deps = {
    control,
    once: new Once(control, options.idempotency ?? new MemoryIdempotencyStore(clock), clock),
    version,
    locked: token !== null,
  };
  await describeApp(app, version);
  homeRoutes(app, deps);
  serviceRoutes(app, deps);
  kindRoutes(app, deps);
  subjectRoutes(app, deps);
  resetRoutes(app, deps);
  healthRoutes(app, deps);
  captureRoutes(app, deps);
  faultRoutes(app, deps);
  operationRoutes(app, deps);
  eventRoutes(app, deps);
  await showContract(app);
  await app.ready();
  return app as unknown as FastifyInstance;
}
