import { send } from '../answer.ts';
import type { App, Deps } from '../deps.ts';
import { operation } from '../operation-schema.ts';
import { follow } from '../running.ts';
import { SubjectParams } from '../schemas/params.ts';
import { Reset, ResetRequest } from '../schemas/subject.ts';

/** To a clean, proven-healthy state. */
export function resetRoutes(app: App, { control, once }: Deps): void {
  const reset = operation('POST', {
    id: 'resetSubject',
    tag: 'Subjects',
    summary: 'Reset a subject',
    description:
      'Heals its faults, burns what is there, creates and starts everything anew, and answers when the system itself has proven to be healthy. The body may be left out.',
    params: SubjectParams,
    body: ResetRequest.ref,
    examples: {
      plain: { summary: 'With the time that the kind needs', value: {} },
      bounded: { summary: 'In two minutes at most', value: { timeout_ms: 120_000 } },
    },
    success: { 200: { description: 'Clean and healthy.', body: Reset } },
    errors: [
      'subject_busy',
      'project_conflict',
      'name_conflict',
      'port_taken',
      'IMAGE_UNAVAILABLE',
      'engine_unavailable',
      'engine_error',
      'toolbox_unavailable',
      'toolbox_error',
      'not_healthy',
      'node_failed',
    ],
    operation: true,
  });
  app.post('/v1/subjects/:subject/reset', { schema: reset }, async (request, reply) => {
    const { timeout_ms } = request.body;
    const begin = () => {
      const running = control.reset(request.params.subject, timeout_ms === undefined ? {} : { timeoutMs: timeout_ms });
      return follow(request, running, (body) => ({ status: 200, headers: {}, body }));
    };
    return send(reply, await once.answer(request, begin));
  });
}
