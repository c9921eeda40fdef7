import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judge } from '../../subjects/etcd/health.ts';
import { rolesIn } from '../../subjects/etcd/roles.ts';
import { answersOf, type Recorded, recorded, viewsOf, withText } from './etcd-recorded.ts';

const healthOf = (recording: Recorded) => judge(viewsOf(recording));
const nodesOf = (recording: Recorded) => healthOf(recording).nodes.map(({ health }) => health);
const rolesOf = (recording: Recorded) => Object.fromEntries(rolesIn(viewsOf(recording)).map(({ node, role }) => [node, role]));

test('three members that agree and serve are healthy', () => {
  const health = healthOf(recorded('healthy'));
  assert.equal(health.healthy, true);
  assert.deepEqual(health.issues, []);
  assert.deepEqual(health.nodes, [
    { name: 'etcd0', health: 'up', address: 'etcd0:2379' },
    { name: 'etcd1', health: 'up', address: 'etcd1:2379' },
    { name: 'etcd2', health: 'up', address: 'etcd2:2379' },
  ]);
  assert.equal(health.details.leader, 'etcd1');
});

test('a killed follower is down and nothing else', () => {
  const recording = recorded('follower-killed');
  assert.deepEqual(nodesOf(recording), ['down', 'up', 'up']);
  assert.deepEqual(healthOf(recording).issues, ['etcd0 is not running']);
  assert.deepEqual(rolesOf(recording), { etcd1: 'leader', etcd2: 'follower' });
});

test('a dead leader that the others still believe in leads nobody', () => {
  const recording = recorded('leader-just-killed');
  const health = healthOf(recording);
  assert.equal(health.healthy, false);
  assert.equal(health.details.leader, null);
  assert.ok(health.issues.some((issue) => issue.startsWith('no leader is agreed on')));
  assert.equal(Object.values(rolesOf(recording)).includes('leader'), false);
});

test('a leader that has restarted and forgotten it is not agreed on', () => {
  const recording = recorded('healthy');
  const leader = answersOf(recording, 'etcd1');
  leader.status = withText(leader.status, (text) => text.replace(/"leader":"\d+", /, ''));
  const health = healthOf(recording);
  assert.equal(health.healthy, false);
  assert.deepEqual(health.issues[0], 'etcd1 knows of no leader');
});

test('the successor of a dead leader is found', () => {
  const recording = recorded('leader-replaced');
  assert.equal(Object.values(rolesOf(recording)).filter((role) => role === 'leader').length, 1);
  assert.deepEqual(healthOf(recording).issues, ['etcd1 is not running']);
});

test('of two that call themselves leader only the one at the higher term is', () => {
  const recording = recorded('healthy');
  const stale = answersOf(recording, 'etcd0');
  stale.status = withText(stale.status, (text) =>
    text.replace('"leader":"7100734904075545059"', '"leader":"10451434742088926605"').replace('"raftTerm":"2"', '"raftTerm":"1"'),
  );
  assert.deepEqual(rolesOf(recording), { etcd1: 'leader', etcd2: 'follower' });
  assert.equal(healthOf(recording).healthy, false);
});

test('without a majority a believed leader does not make the cluster healthy', () => {
  const recording = recorded('majority-just-killed');
  const health = healthOf(recording);
  assert.equal(health.healthy, false);
  assert.ok(health.issues.some((issue) => issue === 'etcd0 gave no linearizable read: timeout after 2000 ms'));
});

test('a survivor without a leader is down and has no role', () => {
  const recording = recorded('majority-killed');
  assert.deepEqual(nodesOf(recording), ['down', 'down', 'down']);
  assert.ok(healthOf(recording).issues.includes('etcd0 says that it is unhealthy: RAFT NO LEADER'));
  assert.deepEqual(rolesOf(recording), {});
});

test('a member that runs and does not answer is down', () => {
  const recording = recorded('alone-after-restart');
  assert.deepEqual(nodesOf(recording), ['down', 'down', 'down']);
  assert.ok(healthOf(recording).issues.includes('etcd0 does not answer as a member should: timeout after 2000 ms'));
});

test('an alarm makes the cluster unhealthy and is named once', () => {
  const health = healthOf(recorded('alarm'));
  assert.equal(health.healthy, false);
  assert.equal(health.issues.filter((issue) => issue === 'alarm NOSPACE on etcd1').length, 1);
});

test('a node whose member was removed is offline', () => {
  assert.deepEqual(nodesOf(recorded('member-removed')), ['up', 'up', 'offline']);
});

test('a member that is no node is named', () => {
  const health = healthOf(recorded('learner-not-started'));
  assert.ok(health.issues.includes('the cluster has a member that is no node: 2563465878671417971'));
});

test('a learner is up, has its role, and keeps the cluster from being healthy', () => {
  const recording = recorded('learner');
  assert.deepEqual(nodesOf(recording), ['up', 'up', 'up']);
  assert.deepEqual(rolesOf(recording), { etcd0: 'leader', etcd1: 'follower', etcd2: 'learner' });
  assert.deepEqual(healthOf(recording).issues, ['etcd2 is a learner: it has no vote']);
});

test('a member behind the address of another is not taken for it', () => {
  const recording = recorded('healthy');
  recording.answers = { ...recording.answers, etcd0: answersOf(recording, 'etcd2'), etcd2: answersOf(recording, 'etcd0') };
  assert.deepEqual(nodesOf(recording), ['unknown', 'up', 'unknown']);
  assert.equal(healthOf(recording).healthy, false);
});

test('a member of another cluster is noticed', () => {
  const recording = recorded('healthy');
  const stranger = answersOf(recording, 'etcd2');
  stranger.status = withText(stranger.status, (text) => text.replace('1195828445517239998', '42'));
  assert.ok(healthOf(recording).issues.some((issue) => issue.startsWith('the members belong to different clusters')));
});

test('a role is proved by the reply it was taken from', () => {
  const leader = rolesIn(viewsOf(recorded('healthy'))).find(({ role }) => role === 'leader');
  assert.deepEqual(leader, {
    node: 'etcd1',
    role: 'leader',
    proof: { member_id: '7100734904075545059', leader: '7100734904075545059', raft_term: 2 },
  });
});
