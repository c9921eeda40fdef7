import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { toProblem } from '../../src/control/to_problem.ts';
import { problemTable } from '../../src/lib/problem.ts';
import { DeadlineError } from '../../src/lib/until.ts';
import { ToolboxError, type ToolboxErrorCode } from '../../src/toolbox/port.ts';

const codes: ToolboxErrorCode[] = [
  ...(['unavailable', 'lost', 'bad_request', 'unknown_op', 'hello_first', 'not_running', 'gone', 'host_namespace', 'unsupported'] as const),
  ...(['stale_fence', 'not_armed', 'no_space', 'engine', 'conflict', 'cancelled', 'deadline', 'failed'] as const),
];
const contract = readFileSync(new URL('../../openapi/openapi.json', import.meta.url), 'utf8');
const { responses } = JSON.parse(contract).paths['/v1/subjects/{subject}/reset'].post;
const ofReset = Object.values(responses as Record<string, { content?: Record<string, { examples?: object }> }>).flatMap((response) =>
  Object.keys(response.content?.['application/problem+json']?.examples ?? {}),
);

describe('an error as one of the table', () => {
  test('what the toolbox says of a volume is one that a reset can answer with', () => {
    for (const op of ['volume.create', 'volume.list', 'volume.remove'])
      for (const code of codes) assert.ok(ofReset.includes(toProblem(new ToolboxError(code, 'why', op)).code), `${op} ${code}`);
  });

  test('what it says of a target or a mechanism is not its own failure', () => {
    const of = (op: string, code: ToolboxErrorCode) => toProblem(new ToolboxError(code, 'why', op)).code;
    assert.deepEqual(
      [of('apply', 'gone'), of('apply', 'unsupported'), of('apply', 'no_space')],
      ['no_candidate', 'chaos_unavailable', 'chaos_unavailable'],
    );
    assert.deepEqual(
      [of('clear', 'no_space'), of('apply', 'failed'), of('apply', 'lost')],
      ['toolbox_error', 'toolbox_error', 'toolbox_unavailable'],
    );
  });

  test('a deadline is the engine’s, and what nobody foresaw is told without its words', () => {
    assert.equal(toProblem(new DeadlineError('start of a', 5)).code, 'engine_unavailable');
    const unforeseen = toProblem(new TypeError('secret'));
    assert.deepEqual([unforeseen.code, problemTable[unforeseen.code].status], ['internal', 500]);
    assert.ok(!JSON.stringify(unforeseen.toBody()).includes('secret'));
  });
});
