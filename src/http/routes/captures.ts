import { Type } from 'typebox';
import type { Capture as CaptureView } from '../../captures/capture.ts';
import { send } from '../answer.ts';
import type { App, Deps } from '../deps.ts';
import type { Recall } from '../once.ts';
import { operation } from '../operation-schema.ts';
import { pageOf } from '../pages.ts';
import { brief } from '../running.ts';
import { Capture, CaptureList, CaptureRequest, Comparison } from '../schemas/capture.ts';
import { CapturePageQuery } from '../schemas/page.ts';
import { CaptureParams, ComparisonParams, SubjectParams } from '../schemas/params.ts';

/** Keeping what a subject held, and comparing it. */
export function captureRoutes(app: App, { control, once }: Deps): void {
  const take = operation('POST', {
    id: 'takeCapture',
    tag: 'Captures',
    summary: 'Capture the state of a subject',
    description:
      'Reads the state, as `GET …/state` does, and keeps it with the nodes as the engine has them and a fingerprint of what it was taken from. While the subject is reset or torn down it is `subject_busy`. What could not be read, under a fault say, is named in `missing`. The newest 5000 captures are kept, 256 MiB at most (an event `capture.dropped` names each that goes); they outlive their subject. The body may be left out.',
    params: SubjectParams,
    body: CaptureRequest.ref,
    examples: {
      plain: { summary: 'As it is now', value: {} },
      labelled: { summary: 'With a word of your own', value: { label: 'before the fault' } },
    },
    success: { 201: { description: 'The capture.', body: Capture, headers: { Location: Type.String({ description: 'The capture.' }) } } },
    // `capture_not_found`: the key's capture was dropped since.
    errors: [
      'capture_not_found',
      'subject_busy',
      'subject_not_running',
      'state_unavailable',
      'storage_unavailable',
      'engine_unavailable',
      'engine_error',
    ],
  });
  app.post('/v1/subjects/:subject/captures', { schema: take }, async (request, reply) => {
    const { subject } = request.params;
    const begin = async () => {
      const capture = await control.capture(subject, request.body);
      return { status: 201, headers: { location: `/v1/subjects/${subject}/captures/${capture.id}` }, body: capture };
    };
    // The capture is kept already.
    const recall: Recall = {
      keep: (answer) => (answer.status === 201 ? { ...answer, body: { id: (answer.body as CaptureView).id } } : answer),
      tell: async (kept) =>
        kept.status === 201 ? { ...kept, body: await control.findCapture(subject, (kept.body as { id: string }).id) } : kept,
    };
    return send(reply, await once.answer(request, () => brief(begin()), recall));
  });

  const list = operation('GET', {
    id: 'listCaptures',
    tag: 'Captures',
    summary: 'List the captures of a subject',
    description: 'Newest first, without what they hold. Those of a copy that was torn down are still here.',
    params: SubjectParams,
    query: CapturePageQuery,
    success: { 200: { description: 'A page of captures.', body: CaptureList } },
  });
  app.get('/v1/subjects/:subject/captures', { schema: list }, async (request): Promise<CaptureList> => {
    const { items, next_cursor } = await control.captures(request.params.subject, pageOf(request.query));
    return { captures: items, next_cursor };
  });

  const one = operation('GET', {
    id: 'getCapture',
    tag: 'Captures',
    summary: 'Show a capture',
    description: 'With all it holds.',
    params: CaptureParams,
    success: { 200: { description: 'The capture.', body: Capture } },
    errors: ['capture_not_found'],
  });
  app.get('/v1/subjects/:subject/captures/:capture', { schema: one }, async (request) =>
    control.findCapture(request.params.subject, request.params.capture),
  );

  const diff = operation('GET', {
    id: 'compareCaptures',
    tag: 'Captures',
    summary: 'Compare two captures',
    description:
      'All differences of their nodes and states, with those in what changes by itself set apart, and whether they are of the same system at all. Of two generations, ids and start times that each reset makes anew are set apart too; of one, they tell of a restart. What could not be read in one of them is `unknown`, not a difference.',
    params: ComparisonParams,
    success: { 200: { description: 'How they differ.', body: Comparison } },
    errors: ['capture_not_found', 'kind_mismatch'],
  });
  app.get('/v1/subjects/:subject/captures/:capture/diff/:other', { schema: diff }, async (request) =>
    control.compareCaptures(request.params.subject, request.params.capture, request.params.other),
  );
}
