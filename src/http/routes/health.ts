import type { HealthView } from '../../control/api.ts';
import type { App, Deps } from '../deps.ts';
import { reading } from '../hang-up.ts';
import { operation } from '../operation-schema.ts';
import { Health, HealthQuery, State } from '../schemas/health.ts';
import { SubjectParams } from '../schemas/params.ts';

const defaultWaitMs = 60_000;
/** The text of a report, made once: the same one is answered until the next poll. */
const texts = new WeakMap<HealthView, string>();
/** For an answer that is already there. */
const never = new AbortController().signal;

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
    errors: ['engine_unavailable', 'engine_error'],
  });
  app.get('/v1/subjects/:subject/health', { schema: health }, async (request, reply) => {
    const { fresh = false, wait, timeout_ms: timeoutMs = defaultWaitMs } = request.query;
    const options = { fresh, ...(wait === undefined ? {} : { wait: true, timeoutMs }) };
    const cached = !fresh && wait === undefined;
    const report = await control.health(
      request.params.subject,
      options,
      cached ? never : reading(reply, wait === undefined ? 0 : timeoutMs),
    );
    return reply.type('application/json; charset=utf-8').serializer(textOf).send(report);
  });

  const state = operation('GET', {
    id: 'getState',
    tag: 'Subjects',
    summary: 'Capture the state of a subject',
    description: 'Read from the system now. What could not be read, under a fault say, is named in `missing`.',
    params: SubjectParams,
    success: { 200: { description: 'The state.', body: State } },
    errors: ['subject_not_running', 'state_unavailable', 'engine_unavailable', 'engine_error'],
  });
  app.get('/v1/subjects/:subject/state', { schema: state }, async (request, reply) =>
    control.state(request.params.subject, reading(reply)),
  );
}

function textOf(report: HealthView): string {
  const known = texts.get(report);
  if (known !== undefined) return known;
  const text = JSON.stringify(report);
  texts.set(report, text);
  return text;
}
