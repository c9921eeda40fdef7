import { basename } from 'node:path';
import { Problem } from '../lib/problem.ts';
import type { Position } from './model.ts';

/** Line and column in the compose file, both from 1. */
export interface Place {
  line: number;
  column: number;
}

/** One finding: where, at which key (`services.redis.ports[0]`), what is wrong and what to do about it. */
export interface Issue extends Position {
  path: string;
  message: string;
}

/** Collects findings, so that a caller hears of all of them at once. */
export class Issues {
  readonly file: string;
  readonly #found = new Map<string, Issue>();

  constructor(file: string) {
    this.file = file;
  }

  /** Adds a finding; the same one at the same place (an alias used twice) counts once. */
  add(at: Place, path: string, message: string, file = this.file): void {
    const key = JSON.stringify([file, at.line, at.column, message]);
    if (!this.#found.has(key)) this.#found.set(key, { file, line: at.line, column: at.column, path, message });
  }

  /** The findings in the file's order; those of other files (env files) come last. */
  list(): Issue[] {
    const foreign = (issue: Issue) => (issue.file === this.file ? 0 : 1);
    return [...this.#found.values()].sort((a, b) => foreign(a) - foreign(b) || a.line - b.line || a.column - b.column);
  }

  /** Throws a `compose_invalid` Problem with all findings as `issues`, or returns when there are none. */
  throwIfAny(): void {
    if (this.#found.size > 0) throw this.toProblem();
  }

  /** The findings as one Problem; there must be at least one. */
  toProblem(): Problem {
    const issues = this.list();
    const [first] = issues;
    const where = first === undefined ? basename(this.file) : `${basename(first.file)}:${first.line}:${first.column}`;
    const path = first === undefined || first.path === '' ? '' : ` ${first.path}:`;
    const rest = issues.length > 1 ? ` (and ${issues.length - 1} more, see issues)` : '';
    return new Problem('compose_invalid', `${where}:${path} ${first?.message ?? 'the file cannot be used'}${rest}`, { issues });
  }
}
