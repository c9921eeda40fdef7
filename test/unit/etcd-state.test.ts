import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describe } from '../../subjects/etcd/state.ts';
import { answersOf, type Recorded, recorded, viewsOf } from './etcd-recorded.ts';

const stateOf = (recording: Recorded) => describe(viewsOf(recording));

test('the state of a healthy cluster is complete', () => {
  const { state, missing, readable } = stateOf(recorded('healthy'));
  assert.deepEqual(missing, []);
  assert.equal(readable, true);
  const { members, ...cluster } = state;
  assert.deepEqual(cluster, {
    cluster_id: '1195828445517239998',
    version: '3.5.16',
    leader: { name: 'etcd1', id: '7100734904075545059' },
    term: 2,
    revision: 3,
    key_count: 2,
    db_size_bytes: 61440,
    alarms: [],
  });
  assert.ok(Array.isArray(members));
  assert.deepEqual(members[0], {
    id: '10451434742088926605',
    name: 'etcd0',
    peer_urls: ['http://etcd0:2380'],
    client_urls: ['http://etcd0:2379'],
    is_learner: false,
    status: {
      leader: '7100734904075545059',
      raft_term: 2,
      raft_index: 10,
      raft_applied_index: 10,
      revision: 3,
      key_count: 2,
      db_size_bytes: 20480,
      db_size_in_use_bytes: 16384,
      version: '3.5.16',
    },
  });
});

test('an empty store counts no keys', () => {
  assert.equal(stateOf(recorded('fresh')).state.key_count, 0);
});

test('the status of a dead member is missing, and so is the total size', () => {
  const { state, missing } = stateOf(recorded('follower-killed'));
  assert.deepEqual(missing, ['members.etcd0.status', 'db_size_bytes']);
  assert.equal(state.key_count, 2);
});

test('without a majority the agreed values are missing and the survivor still shows its own', () => {
  for (const name of ['majority-just-killed', 'majority-killed']) {
    const { state, missing, readable } = stateOf(recorded(name));
    assert.equal(readable, true);
    assert.deepEqual(missing, ['members.etcd1.status', 'members.etcd2.status', 'revision', 'key_count', 'db_size_bytes']);
    assert.deepEqual([state.leader, state.revision, state.key_count], [null, null, null]);
    assert.equal((state.members as { status: { key_count: number } }[])[0]?.status.key_count, 2);
  }
});

test('nothing readable is said so', () => {
  for (const name of ['alone-after-restart', 'all-killed']) {
    const { missing, readable } = stateOf(recorded(name));
    assert.equal(readable, false);
    assert.ok(missing.includes('members') && missing.includes('leader') && missing.includes('alarms'));
  }
});

test('a local count that failed is missing by name', () => {
  const recording = recorded('healthy');
  answersOf(recording, 'etcd2').localCount = { reached: false, why: 'refused' };
  assert.deepEqual(stateOf(recording).missing, ['members.etcd2.status.key_count']);
});

test('alarms are part of the state', () => {
  assert.deepEqual(stateOf(recorded('alarm')).state.alarms, [{ member_id: '7100734904075545059', member: 'etcd1', alarm: 'NOSPACE' }]);
});

test('a member that has not started yet is listed by its id', () => {
  assert.ok(stateOf(recorded('learner-not-started')).missing.includes('members.2563465878671417971.status'));
});
