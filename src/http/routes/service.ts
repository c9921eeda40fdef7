import type { FastifyReply } from 'fastify';
import { Type } from 'typebox';
import { deadline } from '../../lib/until.ts';
import type { App, Deps } from '../deps.ts';
import { hangUp } from '../hang-up.ts';
import { operation } from '../operation-schema.ts';
import { Alive, type AliveView, Ready, type ReadyView } from '../schemas/system.ts';

const readinessMs = 5000;

/** For those who look after the service: alive, ready, measured. */
export function serviceRoutes(app: App, { control, version }: Deps): void {
  const alive = operation('GET', {
    id: 'getHealthz',
    tag: 'Service',
    summary: 'Is it alive?',
    description: 'Answers 200 as long as the process does, whatever becomes of the engine. Open to anybody.',
    success: { 200: { description: 'Alive.', body: Alive } },
    open: true,
  });
  app.get('/healthz', { schema: alive, config: { open: true } }, async (): Promise<AliveView> => ({ status: 'ok', version }));

  const ready = operation('GET', {
    id: 'getReadyz',
    tag: 'Service',
    summary: 'Can it do its work?',
    description: 'Ready when the Docker engine answers and the ledger can be written. Open to anybody.',
    success: { 200: { description: 'Ready.', body: Ready }, 503: { description: 'Not ready.', body: Ready } },
    open: true,
  });
  app.get('/readyz', { schema: ready, config: { open: true } }, async (request, reply) => {
    const signal = deadline('readiness', readinessMs, hangUp(reply));
    try {
      return answerReady(reply, await control.readiness(signal));
    } catch (error) {
      request.log.warn({ err: error }, 'readiness could not be told');
      return answerReady(reply, { engine: false, ledger: false });
    } finally {
      signal[Symbol.dispose]();
    }
  });

  const metrics = operation('GET', {
    id: 'getMetrics',
    tag: 'Service',
    summary: 'Prometheus metrics',
    description: 'In the text format of Prometheus.',
    success: { 200: { description: 'The metrics.', body: { 'text/plain': Type.String() } } },
  });
  app.get('/metrics', { schema: metrics }, async (_request, reply) => {
    const { contentType, text } = await control.metrics();
    return reply.type(contentType).send(text);
  });
}

function answerReady(reply: FastifyReply, { engine, ledger }: { engine: boolean; ledger: boolean }): FastifyReply {
  const view: ReadyView = { ready: engine && ledger && !reply.server.closing(), engine, ledger };
  if (!view.ready) reply.code(503).header('retry-after', '1');
  return reply.send(view);
}
