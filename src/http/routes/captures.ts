import { Type } from 'typebox';
import { deadline } from '../../lib/until.ts';
import { send } from '../answer.ts';
import type { App, Deps } from '../deps.ts';
import { operation } from '../operation-schema.ts';
import { brief } from '../running.ts';
import { Capture, CaptureList, CaptureRequest, Comparison } from '../schemas/capture.ts';
import { CapturePageQuery, defaultLimit } from '../schemas/page.ts';
import { CaptureParams, ComparisonParams, SubjectParams } from '../schemas/params.ts';

const captureMs = 60_000;

/** Keeping what a subject held, and comparing it. */
export function captureRoutes(app: App, { control, once }: Deps): void {
  const take = operation('POST', {
    id: 'takeCapture',
    tag: 'Captures',
    summary: 'Capture the state of a subject',
    description:
      'Reads the state, as `GET …/state` does, and keeps it with a fingerprint of what it was taken from. What could not be read, under a fault say, is named in `missing`. The newest 5000 captures are kept, 256 MiB at most; they outlive their subject. The body may be left out.',
    params: SubjectParams,
    body: CaptureRequest.ref,
    examples: {
      plain: { summary: 'As it is now', value: {} },
      labelled: { summary: 'With a word of your own', value: { label: 'before the fault' } },
    },
    success: { 201: { description: 'The capture.', body: Capture, headers: { Location: Type.String({ description: 'The capture.' }) } } },
    errors: ['subject_busy', 'subject_not_running', 'state_unavailable', 'storage_unavailable', 'engine_unavailable', 'engine_error'],
  });
  app.post('/v1/subjects/:subject/captures', { schema: take }, async (request, reply) => {
    const { subject } = request.params;
    const begin = async () => {
      // Not the request's own signal: a client that hangs up cancels nothing.
      using signal = deadline('a capture', captureMs);
      const capture = await control.capture(subject, request.body, signal);
      return { status: 201, headers: { location: `/v1/subjects/${subject}/captures/${capture.id}` }, body: capture };
    };
    return send(reply, await once.answer(request, () => brief(begin())));
  });

  const list = operation('GET', {
    id: 'listCaptures',
    tag: 'Captures',
    summary: 'List the captures of a subject',
    description: 'Newest first, without their states. Those of a copy that was torn down are still here.',
    params: SubjectParams,
    query: CapturePageQuery,
    success: { 200: { description: 'A page of captures.', body: CaptureList } },
  });
  app.get('/v1/subjects/:subject/captures', { schema: list }, async (request): Promise<CaptureList> => {
    const { limit = defaultLimit, cursor } = request.query;
    const { items, next_cursor } = await control.captures(request.params.subject, { limit, ...(cursor === undefined ? {} : { cursor }) });
    return { captures: items, next_cursor };
  });

  const one = operation('GET', {
    id: 'getCapture',
    tag: 'Captures',
    summary: 'Show a capture',
    description: 'With its state.',
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
      'All differences of their nodes and states, with those in what changes by itself set apart, and whether they are of the same system at all. What could not be read in one of them is `unknown`, not a difference.',
    params: ComparisonParams,
    success: { 200: { description: 'How they differ.', body: Comparison } },
    errors: ['capture_not_found', 'not_comparable'],
  });
  app.get('/v1/subjects/:subject/captures/:capture/diff/:other', { schema: diff }, async (request) =>
    control.compareCaptures(request.params.subject, request.params.capture, request.params.other),
  );
}
