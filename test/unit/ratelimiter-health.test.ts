import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Findings, judge } from '../../subjects/ratelimiter/health.ts';
import { entry, node, nodes, reply } from './ratelimiter-world.ts';

const fine = (): Findings => ({
  redis: new Map([['redis', { ok: true, value: '+PONG' }]]),
  limiters: new Map(['limiter1', 'limiter2', 'limiter3'].map((name) => [name, { ok: true, value: reply(name) }])),
  registered: { ok: true, value: ['limiter1', 'limiter2', 'limiter3'].map(entry) },
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
