import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Node, Toolkit } from '../../src/kind/adapter.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { adapter, assemble, listOf } from '../../subjects/ratelimiter/adapter.ts';
import { type Findings, judge } from '../../subjects/ratelimiter/health.ts';
import { firstOf, isRegistered, ofThisStart, parseObject, registeredNodes } from '../../subjects/ratelimiter/limiter.ts';
import { parseInfo, readPong, readReplies, scanCounters } from '../../subjects/ratelimiter/redis.ts';
import { decodeReplies, encodeCommand, RespError, type RespValue } from '../../subjects/ratelimiter/resp.ts';
import { parseBlocks, parseCounts, parseLimits, parseNodes } from '../../subjects/ratelimiter/service/replies.ts';

const startedAt = Date.parse('2026-01-01T00:00:10.000Z');
const node = (name: string, over: Partial<Node> = {}): Node => ({
  name,
  type: name === 'redis' ? 'redis' : 'limiter',
  container: `ratelimiter-${name}-1`,
  containerId: name,
  running: true,
  startedAt,
  address: '10.0.0.1',
  ...over,
});
const nodes = Object.keys(adapter.nodeTypes).map((name) => node(name));
const reply = (name: string) => ({ node: name, instance: `i-${name}`, started_at: '2026-01-01T00:00:10.100Z' });
const entry = (name: string) => ({ id: name, address: `${name}:8080`, started_at: '', last_seen: '', instance: `i-${name}` });
const fine = (): Findings => ({
  redis: new Map([['redis', { ok: true, value: '+PONG' }]]),
  limiters: new Map(['limiter1', 'limiter2', 'limiter3'].map((name) => [name, { ok: true, value: reply(name) }])),
  registered: { ok: true, value: ['limiter1', 'limiter2', 'limiter3'].map(entry) },
});

describe('the Redis wire format', () => {
  const value: fc.Arbitrary<{ wire: string; value: RespValue }> = fc.letrec((tie) => ({
    node: fc.oneof(
      { maxDepth: 3 },
      fc.string({ unit: 'binary' }).map((s) => ({ wire: `$${Buffer.byteLength(s)}\r\n${s}\r\n`, value: s })),
      fc.integer().map((n) => ({ wire: `:${n}\r\n`, value: n })),
      fc.constantFrom('OK', 'PONG', '').map((s) => ({ wire: `+${s}\r\n`, value: s })),
      fc.constant({ wire: '-ERR no\r\n', value: new RespError('ERR no') }),
      fc.constantFrom({ wire: '$-1\r\n', value: null }, { wire: '*-1\r\n', value: null }),
      fc.array(tie('node'), { maxLength: 4 }).map((items) => {
        const list = items as { wire: string; value: RespValue }[];
        return { wire: `*${list.length}\r\n${list.map((i) => i.wire).join('')}`, value: list.map((i) => i.value) };
      }),
    ),
  })).node as fc.Arbitrary<{ wire: string; value: RespValue }>;

  test('whole replies are read as they were written, and a strict prefix is never taken for whole', () => {
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 4 }), fc.nat(), (values, cut) => {
        const wire = values.map((v) => v.wire).join('');
        assert.deepEqual(
          decodeReplies(wire, values.length),
          values.map((v) => v.value),
        );
        const prefix = [...wire].slice(0, cut % [...wire].length).join('');
        assert.equal(decodeReplies(prefix, values.length), null);
      }),
    );
  });

  test('a command is sent with lengths in bytes', () => {
    assert.equal(encodeCommand(['SET', 'ä', 5]), '*3\r\n$3\r\nSET\r\n$2\r\nä\r\n$1\r\n5\r\n');
  });

  test('what is not Redis, an error reply and a cut reply are each of no use, with the reason', () => {
    assert.deepEqual(readReplies('HTTP/1.1 400 Bad Request\r\n', 1), { ok: false, why: 'not a Redis reply: "HTTP/1.1 400 Bad Request"' });
    assert.deepEqual(readReplies('+OK\r\n-LOADING Redis is loading\r\n', 2), { ok: false, why: 'LOADING Redis is loading' });
    assert.deepEqual(readReplies('$5\r\nab', 1), { ok: false, why: 'an incomplete reply' });
    assert.deepEqual(readReplies('', 1), { ok: false, why: 'connection closed' });
    assert.deepEqual(readReplies('$x\r\n', 1), { ok: false, why: 'not a number in a Redis reply: "x"' });
  });
});

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

describe('the verdict', () => {
  test('all answering and registered is healthy', () => {
    const health = judge(nodes, fine());
    assert.equal(health.healthy, true);
    assert.deepEqual(health.issues, []);
    assert.deepEqual(health.nodes, [
      { name: 'limiter1', health: 'up', address: 'limiter1:8080' },
      { name: 'limiter2', health: 'up', address: 'limiter2:8080' },
      { name: 'limiter3', health: 'up', address: 'limiter3:8080' },
      { name: 'redis', health: 'up', address: 'redis:6379' },
    ]);
  });

  test('one flaw in any node makes the subject unhealthy, and only that node is blamed', () => {
    const flaws: [string, (f: Findings) => void, string, string][] = [
      ['limiter2', (f) => f.limiters.set('limiter2', { ok: false, why: 'refused' }), 'down', 'limiter2: refused'],
      ['redis', (f) => f.redis.set('redis', { ok: false, why: 'timeout after 2000 ms' }), 'down', 'redis: Redis: timeout after 2000 ms'],
      [
        'limiter3',
        (f) => {
          f.registered = { ok: true, value: ['limiter1', 'limiter2'].map(entry) };
        },
        'unknown',
        'limiter3: answers, but is not registered since this start',
      ],
    ];
    for (const [name, spoil, health, issue] of flaws) {
      const findings = fine();
      spoil(findings);
      const verdict = judge(nodes, findings);
      assert.equal(verdict.healthy, false);
      assert.deepEqual(
        verdict.nodes.filter((n) => n.health !== 'up').map((n) => [n.name, n.health]),
        [[name, health]],
      );
      assert.deepEqual(verdict.issues, [issue]);
    }
  });

  test('a node that does not run is down whatever was heard before', () => {
    const verdict = judge([node('limiter1', { running: false, address: null }), ...nodes.slice(1)], fine());
    assert.equal(verdict.healthy, false);
    assert.deepEqual(verdict.issues, ['limiter1: not running']);
  });

  test('a list of nodes that cannot be read leaves the limiters unknown, not up', () => {
    const verdict = judge(nodes, { ...fine(), registered: { ok: false, why: 'refused' } });
    assert.deepEqual(
      verdict.nodes.map((n) => n.health),
      ['unknown', 'unknown', 'unknown', 'up'],
    );
  });

  test('no nodes are not healthy nodes', () => {
    assert.equal(judge([], { ...fine(), redis: new Map(), limiters: new Map() }).healthy, false);
  });
});

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
