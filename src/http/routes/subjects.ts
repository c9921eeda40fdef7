import { Type } from 'typebox';
import { deadline } from '../../lib/until.ts';
import { send } from '../answer.ts';
import type { App, Deps } from '../deps.ts';
import { reading } from '../hang-up.ts';
import { operation } from '../operation-schema.ts';
import { pageByName } from '../pages.ts';
import { brief, follow } from '../running.ts';
import { SubjectPageQuery } from '../schemas/page.ts';
import { SubjectParams } from '../schemas/params.ts';
import { NewSubject, Subject, SubjectList } from '../schemas/subject.ts';

const createMs = 60_000;

/** The live copies of the kinds. */
export function subjectRoutes(app: App, { control, once }: Deps): void {
  const list = operation('GET', {
    id: 'listSubjects',
    tag: 'Subjects',
    summary: 'List the subjects',
    description: 'The live copies of the kinds, by name. Each kind has a default subject of its own name.',
    query: SubjectPageQuery,
    success: { 200: { description: 'A page of subjects.', body: SubjectList } },
    errors: ['engine_unavailable', 'engine_error'],
  });
  app.get('/v1/subjects', { schema: list }, async (request, reply): Promise<SubjectList> => {
    const { items, next_cursor } = pageByName('subject', await control.subjects(reading(reply)), request.query);
    return { subjects: items, next_cursor };
  });

  const create = operation('POST', {
    id: 'createSubject',
    tag: 'Subjects',
    summary: 'Make another copy of a kind',
    description: 'It gets its own compose project and ports, and is `absent` until it is reset.',
    body: NewSubject.ref,
    examples: { another: { summary: 'Another etcd, named by the service', value: { kind: 'etcd' } } },
    success: {
      201: { description: 'The new subject.', body: Subject, headers: { Location: Type.String({ description: 'The subject.' }) } },
    },
    errors: ['kind_not_found', 'subject_exists', 'compose_invalid', 'engine_unavailable', 'ledger_unavailable'],
  });
  app.post('/v1/subjects', { schema: create }, async (request, reply) => {
    const begin = async () => {
      // Not the request's own signal: a client that hangs up cancels nothing.
      const signal = deadline('making a subject', createMs);
      try {
        const subject = await control.createSubject(request.body, signal);
        return { status: 201, headers: { location: `/v1/subjects/${subject.name}` }, body: subject };
      } finally {
        signal[Symbol.dispose]();
      }
    };
    return send(reply, await once.answer(request, () => brief(begin())));
  });

  const one = operation('GET', {
    id: 'getSubject',
    tag: 'Subjects',
    summary: 'Show a subject',
    description: 'Its nodes as the engine sees them now, and how to reach it.',
    params: SubjectParams,
    success: { 200: { description: 'The subject.', body: Subject } },
    errors: ['engine_unavailable', 'engine_error'],
  });
  app.get('/v1/subjects/:subject', { schema: one }, async (request, reply) => control.subject(request.params.subject, reading(reply)));

  const remove = operation('DELETE', {
    id: 'deleteSubject',
    tag: 'Subjects',
    summary: 'Tear a subject down',
    description: 'Heals its faults and removes its containers, networks and volumes without residue. A default subject stays, as `absent`.',
    params: SubjectParams,
    success: { 200: { description: 'The subject as it is now.', body: Subject } },
    errors: [
      'subject_busy',
      'project_conflict',
      'name_conflict',
      'engine_unavailable',
      'engine_error',
      'toolbox_unavailable',
      'toolbox_error',
    ],
    operation: true,
  });
  app.delete('/v1/subjects/:subject', { schema: remove }, async (request, reply) => {
    const begin = () => follow(request, control.deleteSubject(request.params.subject), (body) => ({ status: 200, headers: {}, body }));
    return send(reply, await once.answer(request, begin));
  });
}
