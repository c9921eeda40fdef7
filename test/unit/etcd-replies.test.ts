import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readCount, readMembers, readQuorum, readStatus } from '../../subjects/etcd/replies.ts';
import { answersOf, recorded, withText } from './etcd-recorded.ts';

const healthy = answersOf(recorded('healthy'), 'etcd0');

test('a status keeps 64-bit ids as text and counts as numbers', () => {
  const status = readStatus(healthy.status);
  assert.deepEqual(status, {
    ok: true,
    value: {
      clusterId: '1195828445517239998',
      memberId: '10451434742088926605',
      leaderId: '7100734904075545059',
      term: 2,
      revision: 3,
      raftIndex: 10,
      raftAppliedIndex: 10,
      dbSizeBytes: 20480,
      dbSizeInUseBytes: 16384,
      version: '3.5.16',
      learner: false,
      alarms: [],
    },
  });
});

test('a field that the gateway leaves out is zero, empty or false', () => {
  const count = readCount(answersOf(recorded('fresh'), 'etcd0').count);
  assert.deepEqual(count, { ok: true, value: { keys: 0, revision: 1 } });
  const status = readStatus(answersOf(recorded('majority-killed'), 'etcd0').status);
  assert.ok(status.ok);
  assert.equal(status.value.leaderId, null);
  const members = readMembers(answersOf(recorded('learner-not-started'), 'etcd0').members);
  assert.ok(members.ok);
  assert.deepEqual(members.value[0], {
    id: '2563465878671417971',
    name: '',
    peerUrls: ['http://etcd2:2380'],
    clientUrls: [],
    learner: true,
  });
});

test('an alarm is read from the status, and "no leader" in the same list is none', () => {
  const alarmed = readStatus(answersOf(recorded('alarm'), 'etcd2').status);
  assert.ok(alarmed.ok);
  assert.deepEqual(alarmed.value.alarms, [{ memberId: '7100734904075545059', alarm: 'NOSPACE' }]);
  const leaderless = readStatus(answersOf(recorded('majority-killed'), 'etcd0').status);
  assert.ok(leaderless.ok);
  assert.deepEqual(leaderless.value.alarms, []);
});

test('/health is read with its reason, at 200 and at 503', () => {
  assert.deepEqual(readQuorum(healthy.quorum), { ok: true, value: { healthy: true, reason: '' } });
  const lost = readQuorum(answersOf(recorded('majority-killed'), 'etcd0').quorum);
  assert.deepEqual(lost, { ok: true, value: { healthy: false, reason: 'RAFT NO LEADER' } });
});

test('a refusal of etcd is answered with its own words, and silence with how it was silent', () => {
  const refused = readMembers(answersOf(recorded('learner'), 'etcd2').members);
  assert.deepEqual(refused, { ok: false, answered: true, why: 'etcdserver: rpc not supported for learner' });
  const silent = readStatus(answersOf(recorded('alone-after-restart'), 'etcd0').status);
  assert.deepEqual(silent, { ok: false, answered: false, why: 'timeout after 2000 ms' });
});

test('an answer that is no such reply is a finding, never a number', () => {
  const strange = (text: string) => readStatus(withText(healthy.status, () => text));
  for (const text of ['', 'page not found', 'null', '[]', '{}', '{"header":[]}', '{"header":{"cluster_id":1195828445517239998}}']) {
    const status = strange(text);
    assert.ok(!status.ok && status.answered && status.why.length > 0, text);
  }
  const unsafe = readStatus(withText(healthy.status, (text) => text.replace('"raftTerm":"2"', '"raftTerm":"9007199254740993"')));
  assert.ok(!unsafe.ok && unsafe.why.includes('raftTerm'));
});

test('no body at all makes a reader throw', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.jsonValue().map((value) => JSON.stringify(value)),
      ),
      fc.constantFrom(200, 404, 503),
      (text, status) => {
        for (const read of [readStatus, readMembers, readCount, readQuorum]) {
          const reply = read({ reached: true, status, headers: {}, text });
          assert.equal(typeof reply.ok, 'boolean');
        }
      },
    ),
  );
});
