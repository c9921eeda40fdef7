import { createRequire } from 'node:module';
import type { TestContext } from 'node:test';
import { appFor, scripted } from './scripted.ts';

export type Json = Record<string, unknown>;
interface Parameter {
  name: string;
  in: string;
  schema: Json;
  example?: unknown;
}
export interface Operation {
  operationId?: string;
  summary?: string;
  description?: string;
  tags?: string[];
  parameters?: Parameter[];
  requestBody?: { required: boolean; content: Record<string, { schema: Json; examples?: Record<string, { value: unknown }> }> };
  responses: Record<string, { description: string; content?: Record<string, { schema: Json; examples?: Record<string, unknown> }> }>;
}
interface Document {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Json>; examples: Record<string, { value: Json }> };
}

const { version } = createRequire(import.meta.url)('../../package.json') as { version: string };

/** The contract as the service serves it. */
export const served = async (t: TestContext) =>
  (await (await appFor(t, scripted(), { version })).inject('/openapi.json')).json() as Document;

export const operations = (document: Document) =>
  Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ path, method, operation })),
  );
