import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { FileKind, FileRead, Files } from '../../src/compose/files.ts';
import type { Issue } from '../../src/compose/issues.ts';
import type { Project, Service } from '../../src/compose/model.ts';
import { type ResolveOptions, resolveText } from '../../src/compose/resolve.ts';
import { Problem } from '../../src/lib/problem.ts';

/** A file system of the test's own: text for a file, or what else stands at the path. */
export function memoryFiles(content: Record<string, string | Buffer | FileKind | { executable: string }> = {}): Files {
  const at = new Map(Object.entries(content));
  const kinds = ['directory', 'socket', 'other'];
  return {
    async read(path): Promise<FileRead> {
      const found = at.get(path);
      if (found === undefined) return { error: 'does not exist; create it, or correct the path' };
      if (typeof found === 'object' && 'executable' in found) return { content: Buffer.from(found.executable), executable: true };
      return { content: Buffer.from(found), executable: false };
    },
    async kind(path): Promise<FileKind | null> {
      const found = at.get(path);
      if (found === undefined) return null;
      return typeof found === 'string' && kinds.includes(found) ? (found as FileKind) : 'file';
    },
  };
}

type Options = Partial<ResolveOptions & { files: Files }>;

/** Resolves a text as `/kind/compose.yaml` of the project `prj`. */
export function resolveYaml(text: string, options: Options = {}): Promise<Project> {
  return resolveText(text, { file: '/kind/compose.yaml', projectName: 'prj', env: {}, files: memoryFiles(), ...options });
}

/** The service `a` of a file that gives it an image and these keys. */
export async function service(keys: string, rest = '', options: Options = {}): Promise<Service> {
  const project = await resolveYaml(withService(keys, rest), options);
  const found = project.services.find(({ name }) => name === 'a');
  assert.ok(found);
  return found;
}

/** A file with a service `a`; `keys` are indented to stand in it, `rest` is the rest of the file. */
export function withService(keys: string, rest = ''): string {
  return `services:\n  a:\n    image: x\n${keys.replace(/^(?=.)/gm, '    ')}\n${rest}`;
}

/** The findings of a file that must be refused. */
export async function issuesOf(text: string, options: Options = {}): Promise<Issue[]> {
  try {
    await resolveYaml(text, options);
  } catch (error) {
    assert.ok(error instanceof Problem, String(error));
    assert.equal(error.code, 'compose_invalid');
    return error.extra.issues as Issue[];
  }
  return assert.fail(`this file was taken:\n${text}`);
}

/** The findings as `line:column path: message`. */
export async function linesOf(text: string, options: Options = {}): Promise<string[]> {
  return (await issuesOf(text, options)).map(({ line, column, path, message }) => `${line}:${column} ${path}: ${message}`);
}

/** `${inside}`, which a plain string in these tests cannot hold without being taken for a mistake. */
export const brace = (inside: string): string => `\${${inside}}`;

/** Name, file, and the findings it must give: all of them, in order, each as far as written. `SET` is set; `/kind/engine.sock` is a socket. */
export type Case = [name: string, text: string, findings: string[]];

/** Tests that each file is refused with exactly its findings. */
export function refuses(reason: string, cases: readonly Case[]): void {
  const options = { files: memoryFiles({ '/kind/engine.sock': 'socket' }), env: { SET: 'value' } };
  describe(`a compose file is refused ${reason}:`, () => {
    for (const [name, text, findings] of cases) {
      it(name, async () => {
        const found = await linesOf(text, options);
        const told = found.map((line, i) => (line.startsWith(findings[i] ?? '\0') ? findings[i] : line));
        assert.deepEqual(told, findings);
      });
    }
  });
}
