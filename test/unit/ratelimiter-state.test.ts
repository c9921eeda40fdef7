import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Toolkit } from '../../src/kind/adapter.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { adapter, assemble, listOf } from '../../subjects/ratelimiter/adapter.ts';
import { parseBlocks, parseCounts, parseLimits, parseNodes } from '../../subjects/ratelimiter/service/replies.ts';
import { nodes } from './ratelimiter-world.ts';

describe('the state', () => {
  test('what was not read is missing, and nothing read is not readable', () => {
    assert.deepEqual(assemble({ limits: [], counters: [], blocks: [], nodes: [], redis: { keys: 1 } }, false).missing, []);
    assert.deepEqual(assemble({ limits: [], redis: {} }, false), {
      state: { limits: [], redis: {} },
      missing: ['counters', 'blocks', 'nodes'],
      readable: true,
    });
    assert.deepEqual(assemble({}, false), { state: {}, missing: ['limits', 'counters', 'blocks', 'nodes', 'redis'], readable: false });
  });

  /** A limiter that has two counters, and says whether these are all; or none that answers, and a Redis of so many counters. */
  const toolkit = (limiter: { complete: boolean } | null, inRedis = 0): Toolkit => {
    const names = Array.from({ length: inRedis }, (_, i) => `ratelimit:${i}`);
    const wire = (v: unknown): string => {
      if (Array.isArray(v)) return `*${v.length}\r\n${v.map(wire).join('')}`;
      return typeof v === 'number' ? `:${v}\r\n` : `$${Buffer.byteLength(String(v))}\r\n${v}\r\n`;
    };
    const reply = (send: string) => {
      if (send.includes('INFO')) return wire('') + wire(0);
      if (send.includes('SCAN')) return wire(['0', names]);
      if (send.includes('HGETALL')) return wire([]) + wire([]) + wire([]);
      return wire(names.slice(0, 1000).map(() => [1, 60_000]));
    };
    return {
      subject: 'ratelimiter',
      nodes,
      clock: systemClock,
      env: {},
      http: async (_node, _port, path) => {
        if (limiter === null) return { reached: false, why: 'refused' };
        const part = path.slice('/api/'.length);
        const body = part === 'counters' ? { counters: [{ key: 'a' }, { key: 'b' }], ...limiter } : { [part]: [] };
        return { reached: true, status: 200, headers: {}, text: JSON.stringify(body) };
      },
      tcp: async (_node, _port, send) => ({ reached: true, text: reply(send) }),
      exec: async () => assert.fail('no command is run'),
    };
  };
  const missingOf = async (from: Toolkit) =>
    (await adapter.state(from, AbortSignal.timeout(5000))).missing.filter((name) => name !== 'redis');

  test('counters that were left out are missing, whoever left them out', async () => {
    assert.deepEqual(await missingOf(toolkit({ complete: true })), []);
    assert.deepEqual(await missingOf(toolkit({ complete: false })), ['counters.beyond_1000']);
    assert.deepEqual(await missingOf(toolkit(null, 1000)), []);
    const { state, missing } = await adapter.state(toolkit(null, 1001), AbortSignal.timeout(5000));
    assert.equal((state as { counters: unknown[] }).counters.length, 1000);
    assert.deepEqual(missing, ['redis', 'counters.beyond_1000']);
  });

  test('a limiter’s answer without the list does not count as read', () => {
    assert.deepEqual(listOf('limits', { ok: true, value: { limits: [1] } }), { ok: true, value: { list: [1], cut: false } });
    assert.deepEqual(listOf('limits', { ok: true, value: {} }), { ok: false, why: '/api/limits answers no list' });
  });

  test('replies of the scripts become sorted lists', () => {
    assert.deepEqual(parseLimits(['b', '5:1000', 'a', '1:2', 'broken', 'x']), [
      { key: 'a', limit: 1, window_ms: 2 },
      { key: 'b', limit: 5, window_ms: 1000 },
    ]);
    assert.deepEqual(
      parseCounts(
        ['b', 'a'],
        [
          [3, 1000],
          [0, 60000],
        ],
      ),
      [
        { key: 'a', count: 0, window_ms: 60000 },
        { key: 'b', count: 3, window_ms: 1000 },
      ],
    );
    assert.deepEqual(parseBlocks(['k', '1000', '7']), [{ key: 'k', count: 7, last_at: '1970-01-01T00:00:01.000Z' }]);
    assert.deepEqual(
      parseNodes([
        ['n2', 'n2:8080', '1000', 'i2', '2000'],
        ['n1', 'n1:8080', '0', 'i1', '5'],
      ]).map((n) => [n.id, n.instance, n.last_seen]),
      [
        ['n1', 'i1', '1970-01-01T00:00:00.005Z'],
        ['n2', 'i2', '1970-01-01T00:00:02.000Z'],
      ],
    );
  });
});
