import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseInfo, readPong, scanCounters } from '../../subjects/ratelimiter/redis.ts';

describe('Redis’ own word', () => {
  test('only PONG is a proof', () => {
    assert.deepEqual(readPong('+PONG\r\n'), { ok: true, value: '+PONG' });
    for (const [text, why] of [
      ['-LOADING Redis is loading the dataset in memory\r\n', 'answered -LOADING Redis is loading the dataset in memory'],
      ['-NOAUTH Authentication required.\r\n', 'answered -NOAUTH Authentication required.'],
      ['+PONGO\r\n', 'answered +PONGO'],
      ['', 'connection closed'],
    ] as const) {
      assert.deepEqual(readPong(text), { ok: false, why });
    }
  });

  const info = [
    '# Server',
    'redis_version:8.0.2',
    'run_id:abc',
    'uptime_in_seconds:7',
    'executable:/data/redis-server',
    '# Memory',
    'used_memory:1048576',
    'maxmemory:67108864',
    'connected_clients:3',
    'aof_last_write_status:ok',
    '',
  ];

  test('INFO becomes numbers', () => {
    assert.deepEqual(parseInfo(info.join('\r\n'), 12), {
      ok: true,
      value: {
        version: '8.0.2',
        run_id: 'abc',
        uptime_seconds: 7,
        used_memory_bytes: 1048576,
        maxmemory_bytes: 67108864,
        connected_clients: 3,
        aof_last_write_status: 'ok',
        keys: 12,
      },
    });
  });

  test('INFO without one of the fields is of no use and says which', () => {
    const without = info.filter((line) => !line.startsWith('used_memory:')).join('\r\n');
    assert.deepEqual(parseInfo(without, 12), { ok: false, why: 'INFO has no used_memory_bytes' });
    assert.deepEqual(parseInfo(info.join('\r\n'), Number.NaN), { ok: false, why: 'INFO has no keys' });
  });

  /** Scans what is in these rounds; the cursor of each is its number. */
  const scanned = async (rounds: string[][]) => {
    const asked: string[] = [];
    const answer = await scanCounters(async (cursor) => {
      asked.push(cursor);
      const round = Number(cursor);
      return { ok: true, value: [round + 1 < rounds.length ? String(round + 1) : '0', (rounds[round] ?? []).map((k) => `ratelimit:${k}`)] };
    });
    assert.ok(answer.ok);
    return { ...answer.value, asked };
  };
  const many = (from: number, count: number) => Array.from({ length: count }, (_, i) => `k${from + i}`);

  test('a scan is followed to its end and gives the counters’ keys once and sorted', async () => {
    assert.deepEqual(await scanned([['b', 'a'], [], ['b', 'x:y']]), { listed: ['a', 'b', 'x:y'], cut: false, asked: ['0', '1', '2'] });
    assert.deepEqual(await scanned([[]]), { listed: [], cut: false, asked: ['0'] });
    const full = await scanned([many(0, 600), many(600, 400), []]);
    assert.deepEqual([full.listed.length, full.cut, full.asked.length], [1000, false, 3]);
  });

  test('a scan that finds more than the limiters list, or has no end, says that it is cut', async () => {
    const over = await scanned([many(0, 600), many(600, 401)]);
    assert.deepEqual([over.listed.length, over.cut], [1000, true]);
    const early = await scanned([many(0, 1001), many(2000, 5)]);
    assert.deepEqual([early.listed.length, early.cut, early.asked], [1000, true, ['0']]);
    const endless = await scanned(Array.from({ length: 1000 }, () => ['a']));
    assert.deepEqual([endless.listed, endless.cut], [['a'], true]);
  });

  test('a scan that fails in its course, or answers something else, is of no use', async () => {
    const refused = { ok: false as const, why: 'refused' };
    assert.deepEqual(await scanCounters(async (cursor) => (cursor === '0' ? { ok: true, value: ['7', []] } : refused)), refused);
    assert.equal((await scanCounters(async () => ({ ok: true, value: undefined }))).ok, false);
  });
});
