import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { classify, type PdAnswer } from '../../subjects/tikv/answer.ts';
import { parseMemberHealth, parseMembership, parseQuorum } from '../../subjects/tikv/members.ts';
import { parseCount, parseMaxReplicas, parseRegionStats } from '../../subjects/tikv/regions.ts';
import { hostOf, parseStores } from '../../subjects/tikv/stores.ts';
import { nanoseconds } from '../../subjects/tikv/time.ts';
import { captured, deadLeader, noLeader } from './tikv-world.ts';

const read = <T>(text: string, parse: (body: unknown) => T | null, status = 200): PdAnswer<T> =>
  classify({ reached: true, status, headers: {}, text }, parse);
const body = <T>(answer: PdAnswer<T>): T => {
  assert.equal(answer.kind, 'ok');
  return (answer as { body: T }).body;
};
const statusOf = (name: string) =>
  captured(name).startsWith('"[PD:core:ErrStoreNotFound') ? 404 : captured(name).startsWith('"[PD:') ? 500 : 200;

/** What each captured topic must be read as, by the end of its name. */
const topics: Record<string, (name: string) => void> = {
  'check-down': (name) => bootstrapped(name, parseCount, (count) => assert.equal(count, 0)),
  'check-pending': (name) => bootstrapped(name, parseCount, (count) => assert.equal(count, name.startsWith('30') ? 4 : 0)),
  regions: (name) => bootstrapped(name, parseCount, (count) => assert.equal(count, 5)),
  'stats-region': (name) =>
    bootstrapped(name, parseRegionStats, ({ count, peers, leaders }) => {
      assert.equal(count, 5);
      assert.deepEqual(peers, { 1: 5, 12: 5, 13: 5 });
      assert.deepEqual(leaders, { 1: 5 });
    }),
  stores: (name) =>
    bootstrapped(name, parseStores, (stores) => {
      assert.deepEqual(
        stores.map(({ id }) => id),
        [1, 12, 13],
      );
      assert.deepEqual(
        stores.map(({ stateName }) => stateName),
        name.startsWith('20') ? ['Up', 'Disconnected', 'Up'] : ['Up', 'Up', 'Up'],
      );
      assert(stores.every(({ heartbeat, regionCount }) => heartbeat !== null && regionCount === 5));
    }),
  members: (name) => {
    const { clusterId, members, leader, etcdLeader } = body(read(captured(name), parseMembership));
    assert.match(String(clusterId), /^77107\d{14}$/);
    assert.equal(members.length, name.startsWith('30') ? 3 : 1);
    assert.deepEqual([leader, etcdLeader], name.startsWith('30') ? ['p3', 'p3'] : ['pd0', 'pd0']);
  },
  health: (name) => {
    const told = body(read(captured(name), parseMemberHealth));
    assert.deepEqual([...told.keys()], name.startsWith('30') ? ['p3', 'p2', 'p1'] : ['pd0']);
    assert([...told.values()].every((healthy) => healthy));
  },
  leader: (name) => assert.equal(read(captured(name), parseMembership).kind, 'malformed'),
  'cluster-status': (name) => assert.equal(read(captured(name), parseStores).kind, 'malformed'),
  'store-404': (name) =>
    assert.equal(read(captured(name), parseStores, statusOf(name)).kind, name.startsWith('00') ? 'not_bootstrapped' : 'error'),
};

function bootstrapped<T>(name: string, parse: (value: unknown) => T | null, check: (value: T) => void): void {
  const answer = read(captured(name), parse, statusOf(name));
  if (name.startsWith('00')) assert.equal(answer.kind, 'not_bootstrapped');
  else check(body(answer));
}

const names = readdirSync(new URL('../standins/pd/captures/', import.meta.url)).map((file) => file.replace(/\.body$/, ''));

test('there are all forty captures', () => assert.equal(names.length, 40));
for (const name of names) {
  const check = topics[name.replace(/^[^.]*\./, '')];
  test(`capture ${name} is read for what it is`, () => {
    assert(check, 'a topic without an expectation');
    check(name);
  });
}

test('every way to have no leader is no_leader', () => {
  for (const { status, text } of [
    deadLeader,
    noLeader,
    { status: 500, text: '[PD:apiutil:ErrRedirectToNotLeader]redirect to not leader\n' },
    { status: 500, text: '"[PD:server:ErrLeaderNil]leader is nil"\n' },
    { status: 503, text: '' },
  ]) {
    assert.equal(read(text, parseStores, status).kind, 'no_leader', text);
  }
});

test('closing, throttled, crashed and missing are errors with their sentence', () => {
  for (const [status, text, why] of [
    [500, '[PD:server:ErrServerNotStarted]server not started\n', /status 500: \[PD:server:ErrServerNotStarted\]server not started$/],
    [429, '', /^status 429$/],
    [500, 'PANIC: nil pointer\ngoroutine 1 [running]:\n', /^status 500: PANIC: nil pointer$/],
    [404, '404 page not found\n', /^status 404: 404 page not found$/],
    [500, `"${'x'.repeat(500)}"`, /^status 500: x{200}…$/],
  ] as const) {
    const answer = read(text, parseStores, status);
    assert.equal(answer.kind, 'error');
    assert.match('why' in answer ? answer.why : '', why);
  }
});

test('a body of another shape is malformed and never half read', () => {
  const bad = [
    'null',
    '[]',
    '{}',
    '"text"',
    '1',
    '{"stores": null}',
    '{"stores": [null]}',
    '{"stores": [{"store": {"id": 1}, "status": {}}]}',
    '',
    '{"count":',
  ];
  for (const text of bad) assert.equal(read(text, parseStores).kind, 'malformed', text);
  for (const text of ['null', '{}', '[{"name": "pd0"}]', '[{"name": "pd0", "health": "true"}]'])
    assert.equal(read(text, parseMemberHealth).kind, 'malformed', text);
  for (const text of ['null', '[]', '{"members": [{}]}', '{"header": {}}'])
    assert.equal(read(text, parseMembership).kind, 'malformed', text);
  for (const text of ['null', '{}', '{"count": "5"}']) assert.equal(read(text, parseRegionStats).kind, 'malformed', text);
  assert.equal(parseMaxReplicas({ 'max-replicas': '3' }), null);
  assert.equal(parseQuorum({ health: true }), null);
  assert.equal(parseQuorum({ health: 'false' }), 'no reason given');
});

test('a member that never published its name is found by its URL', () => {
  const text = '[{"name": "", "member_id": 1, "client_urls": ["http://pd1:2379"], "health": false}]';
  assert.deepEqual([...body(read(text, parseMemberHealth))], [['pd1', false]]);
});

test('a leader-less store map, and the nulls of ?count, are empty', () => {
  const text = '{"count": 5, "empty_count": 0, "store_leader_count": null, "store_peer_count": null}';
  assert.deepEqual(body(read(text, parseRegionStats)).peers, {});
});

test('Tombstones are left out, and a store id beyond 2^53 sorts by its value', () => {
  const store = (id: string, state: string) => `{"store": {"id": ${id}, "address": "tikv0:20160", "state_name": "${state}"}, "status": {}}`;
  const text = `{"stores": [${store('18446744073709551615', 'Up')}, ${store('9', 'Tombstone')}, ${store('10', 'Up')}]}`;
  assert.deepEqual(
    body(read(text, parseStores)).map(({ id, heartbeat }) => [id, heartbeat]),
    [
      [10, null],
      ['18446744073709551615', null],
    ],
  );
});

test('heartbeats are read to the nanosecond, in any zone, and 1970 is never', () => {
  assert.equal(nanoseconds('2026-11-22T00:59:28.56305725Z'), 1795309168563057250n);
  assert.equal(nanoseconds('2026-11-22T08:59:28.56305725+08:00'), 1795309168563057250n);
  assert.equal(nanoseconds('1970-01-01T00:00:00Z'), 0n);
  for (const text of ['', 'now', '2026-11-22', '2026-11-22T00:59:28', '2026-13-22T00:59:28Z', '2026-11-22T00:59:28.Z'])
    assert.equal(nanoseconds(text), null, text);
});

test('the host of an address is its service, also in brackets and without a port', () => {
  assert.deepEqual(['tikv0:20160', '[fd00::1]:20160', '10.0.0.1:20160', 'tikv0'].map(hostOf), ['tikv0', 'fd00::1', '10.0.0.1', 'tikv0']);
});
