import { Type } from 'typebox';
import type { Control } from '../../control/api.ts';
import { Problem } from '../../lib/problem.ts';
import { preferredType } from '../accept.ts';
import type { App, Deps } from '../deps.ts';
import { reading } from '../hang-up.ts';
import { homePage, homePolicy } from '../home-page.ts';
import { operation } from '../operation-schema.ts';
import { Index, type IndexView, type SubjectLine } from '../schemas/system.ts';

const links = {
  documentation: '/docs',
  contract: '/openapi.json',
  kinds: '/v1/kinds',
  subjects: '/v1/subjects',
  events: '/v1/events',
  metrics: '/metrics',
  alive: '/healthz',
  ready: '/readyz',
};

/** Where a person, or a program, starts. */
export function homeRoutes(app: App, { control, version, locked }: Deps): void {
  const index = operation('GET', {
    id: 'getIndex',
    tag: 'Service',
    summary: 'Where to start',
    description: 'A page for people; with `Accept: application/json` the same for programs.',
    success: { 200: { description: 'The way on.', body: { 'text/html': Type.String(), 'application/json': Index.ref } } },
  });
  app.get('/', { schema: index }, async (request, reply) => {
    const view: IndexView = { name: 'subjectd', version, links, ...(await subjectLines(control, reading(reply))) };
    reply.header('vary', 'accept');
    if (preferredType(request.headers.accept, ['text/html', 'application/json']) === 'application/json') return view;
    const page = homePage(view, { base: `${request.protocol}://${request.headers.host ?? request.host}`, locked });
    return reply.type('text/html; charset=utf-8').header('content-security-policy', homePolicy).send(page);
  });
}

/** The page is there to help when something is wrong too: then it says so. */
async function subjectLines(control: Control, signal: AbortSignal): Promise<{ subjects: SubjectLine[]; problem: string | null }> {
  try {
    const subjects = await control.subjects(signal);
    const lines = subjects.map(async ({ name, kind, phase }) => {
      const { healthy, last_updated } = await control.health(name, {}, signal);
      return { name, kind, phase, healthy, last_updated };
    });
    return { subjects: await Promise.all(lines), problem: null };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return { subjects: [], problem: error.message };
  }
}
