import type { App, Deps } from '../deps.ts';
import { reading } from '../hang-up.ts';
import { operation } from '../operation-schema.ts';
import { Health, HealthQuery, State } from '../schemas/health.ts';
import { SubjectParams } from '../schemas/params.ts';

const defaultWaitMs = 60_000;

/** How a subject is, and what it holds. */
export function healthRoutes(app: App, { control }: Deps): void {
  const health = operation('GET', {
    id: 'getHealth',
    tag: 'Subjects',
    summary: 'Show the health of a subject',
    description:
      'What the poller saw last; `fresh=true` polls now; `wait=healthy` answers as soon as it is healthy, or how it is when `timeout_ms` is over. An ill subject is no error: the status is 200 and `healthy` is false.',
    params: SubjectParams,
    query: HealthQuery,
    success: { 200: { description: 'The health, always all of it.', body: Health } },
    errors: ['subject_not_found'],
  });
  app.get('/v1/subjects/:subject/health', { schema: health }, async (request, reply) => {
    const { fresh = false, wait, timeout_ms: timeoutMs = defaultWaitMs } = request.query;
    const options = { fresh, ...(wait === undefined ? {} : { wait: true, timeoutMs }) };
    return control.health(request.params.subject, options, reading(reply, wait === undefined ? 0 : timeoutMs));
  });

  const state = operation('GET', {
    id: 'getState',
    tag: 'Subjects',
    summary: 'Capture the state of a subject',
    description: 'Read from the system now. What could not be read, under a fault say, is named in `missing`.',
    params: SubjectParams,
    success: { 200: { description: 'The state.', body: State } },
    errors: ['subject_not_found', 'subject_not_running', 'state_unavailable', 'engine_unavailable', 'engine_error'],
  });
  app.get('/v1/subjects/:subject/state', { schema: state }, async (request, reply) =>
    control.state(request.params.subject, reading(reply)),
  );
}
