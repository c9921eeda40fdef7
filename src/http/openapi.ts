import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import { Problem, type ProblemCode, problemTable } from '../lib/problem.ts';
import type { App } from './deps.ts';

const tags = [
  { name: 'Subjects', description: 'The live copies of the systems under test: reset, health, state.' },
  { name: 'Faults', description: 'Disturbing a subject, with proof of the effect and of the undo.' },
  { name: 'Captures', description: 'What a subject held, kept with what it was taken from, and compared.' },
  { name: 'Operations', description: 'The handles of what takes a while.' },
  { name: 'Events', description: 'What happened, numbered and kept.' },
  { name: 'Kinds', description: 'What can be put under test here.' },
  { name: 'Service', description: 'The service itself.' },
];

const description = `Owns systems under test on a Docker engine: resets them to a clean, proven-healthy state, watches their health, captures their
state, injects faults and heals them.

Calls that change a subject answer when they are done; \`Prefer: respond-async\` answers 202 with an operation instead. Errors are
\`application/problem+json\` (RFC 9457) with a stable \`code\`. Unknown fields are refused.`;

/** Collects the contract from the routes that are added after it. */
export async function describeApp(app: App, version: string): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'subjectd',
        version,
        description,
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      servers: [{ url: '/', description: 'This service.' }],
      tags,
      security: [{ bearer: [] }, {}],
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer', description: 'Needed when the service has a token (SUBJECTD_TOKEN).' },
        },
      },
    },
    refResolver: { buildLocalReference: (json) => String(json.$id) },
    transformObject: (document) => ('openapiObject' in document ? tidy(document.openapiObject) : document.swaggerObject),
  });
}

/** The pages that show the contract, with all they need on board. */
export async function showContract(app: App): Promise<void> {
  app.get('/openapi.json', { schema: { hide: true } }, async (_request, reply) => reply.type('application/json').send(app.swagger()));
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    uiConfig: {
      layout: 'BaseLayout',
      docExpansion: 'list',
      defaultModelsExpandDepth: 0,
      tryItOutEnabled: true,
      displayRequestDuration: true,
    },
    theme: { title: 'subjectd' },
    staticCSP:
      "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  });
}

type Json = Record<string, unknown>;
interface Media {
  schema: Json;
  examples?: unknown;
}
interface Operation {
  requestBody?: { required: boolean; content: Record<string, Media> };
  responses: Record<string, { content?: Record<string, Media> }>;
  'x-examples'?: unknown;
  'x-problems'?: Record<string, ProblemCode[]>;
}
interface Document {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Json> };
}

/** What the generator cannot know: examples, bodies that may be left out; and an order that does not depend on that of the code. */
function tidy<T extends object>(document: T): T {
  const { paths, components } = document as unknown as Document;
  const used = new Set<ProblemCode>();
  for (const operation of Object.values(paths).flatMap((path) => Object.values(path))) {
    describeBody(operation, components.schemas);
    for (const code of describeProblems(operation)) used.add(code);
    delete operation['x-examples'];
    delete operation['x-problems'];
  }
  return {
    ...document,
    paths: byKey(paths),
    components: { ...components, schemas: byKey(components.schemas), examples: problemExamples(used) },
  };
}

function describeBody(operation: Operation, schemas: Record<string, Json>): void {
  const body = operation.requestBody;
  const media = body?.content['application/json'];
  if (body === undefined || media === undefined) return;
  const name = typeof media.schema.$ref === 'string' ? media.schema.$ref.split('/').at(-1) : undefined;
  body.required = (name === undefined ? media.schema : schemas[name])?.required !== undefined;
  if (operation['x-examples'] !== undefined) media.examples = operation['x-examples'];
}

function describeProblems(operation: Operation): ProblemCode[] {
  for (const [status, codes] of Object.entries(operation['x-problems'] ?? {})) {
    const media = operation.responses[status]?.content?.['application/problem+json'];
    if (media === undefined) continue;
    media.examples = Object.fromEntries(codes.map((code) => [code, { $ref: `#/components/examples/${code}` }]));
  }
  return Object.values(operation['x-problems'] ?? {}).flat();
}

/** One for each code, with what all problems have. */
function problemExamples(used: ReadonlySet<ProblemCode>): Json {
  const codes = (Object.keys(problemTable) as ProblemCode[]).filter((code) => used.has(code));
  return Object.fromEntries(
    codes.map((code) => {
      const { title } = problemTable[code];
      const value = {
        ...new Problem(code, `${title}.`).toBody(),
        instance: '/v1/subjects/etcd',
        request_id: 'req_01J8Z0V0M6C1X4W6S0F4JYQ3ZB',
      };
      return [code, { summary: title, value }];
    }),
  );
}

function byKey<T>(record: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}
