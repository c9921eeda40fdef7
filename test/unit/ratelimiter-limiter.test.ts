import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { firstOf, isRegistered, ofThisStart, parseObject, registeredNodes } from '../../subjects/ratelimiter/limiter.ts';
import { entry, node, reply } from './ratelimiter-world.ts';

describe('a limiter’s word', () => {
  const at = (started_at: string) => ({ ...reply('limiter1'), started_at });

  test('a reply of this start is accepted, also when the process counts a little earlier than the engine', () => {
    assert.equal(ofThisStart(node('limiter1'), at('2026-01-01T00:00:10.100Z')).ok, true);
    assert.equal(ofThisStart(node('limiter1'), at('2026-01-01T00:00:09.500Z')).ok, true);
  });

  test('a reply of an earlier start, of another node or without its fields is not', () => {
    for (const [of, body] of [
      [node('limiter1'), at('2026-01-01T00:00:08.000Z')],
      [node('limiter1'), at('no time')],
      [node('limiter2'), at('2026-01-01T00:00:10.100Z')],
      [node('limiter1', { startedAt: null }), at('2026-01-01T00:00:10.100Z')],
      [node('limiter1'), { status: 'ok' }],
    ] as const) {
      assert.equal(ofThisStart(of, body).ok, false, JSON.stringify(body));
    }
  });

  test('registered means this very process, not its name', () => {
    assert.equal(isRegistered(reply('limiter1'), [entry('limiter1')]), true);
    assert.equal(isRegistered(reply('limiter1'), [{ ...entry('limiter1'), instance: 'earlier' }]), false);
    assert.deepEqual(
      registeredNodes({ nodes: [entry('limiter1'), { id: 5 }, null] }).map((n) => n.id),
      ['limiter1'],
    );
    assert.deepEqual(registeredNodes({}), []);
  });

  test('only a 200 with a JSON object counts, and a problem’s detail is passed on', () => {
    const answer = (status: number, text: string) => parseObject('/health', { reached: true, status, headers: {}, text });
    assert.deepEqual(answer(200, '{"a":1}'), { ok: true, value: { a: 1 } });
    assert.deepEqual(answer(503, '{"detail":"Redis is away."}'), { ok: false, why: '/health answers 503: Redis is away.' });
    assert.deepEqual(answer(502, '<html>'), { ok: false, why: '/health answers 502' });
    assert.deepEqual(answer(200, '[1]'), { ok: false, why: '/health answers no JSON object' });
    assert.deepEqual(parseObject('/health', { reached: false, why: 'refused' }), { ok: false, why: 'refused' });
  });

  test('the first usable answer is taken without waiting for the others', async () => {
    const never = new Promise<never>(() => {});
    assert.deepEqual(await firstOf([Promise.resolve({ ok: false, why: 'refused' }), never, Promise.resolve({ ok: true, value: 3 })]), {
      ok: true,
      value: 3,
    });
  });

  test('when none is usable all the reasons are told once, and a cancelled call is thrown', async () => {
    const bad = (why: string) => Promise.resolve({ ok: false as const, why });
    assert.deepEqual(await firstOf([bad('refused'), bad('not running'), bad('refused')]), { ok: false, why: 'refused; not running' });
    assert.deepEqual(await firstOf([]), { ok: false, why: 'there is no limiter' });
    await assert.rejects(firstOf([bad('refused'), Promise.reject(new Error('cancelled'))]), /cancelled/);
  });
});
