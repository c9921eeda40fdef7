import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { FastifyInstance } from 'fastify';
import type { ChaosTypeView, FaultPlanView, HealthView, KindView, ResetResult, StateView, SubjectView } from '../../src/control/api.ts';
import type { Operation } from '../../src/control/operation.ts';
import type { Fault } from '../../src/faults/fault.ts';
import { chaosType as typeNamed } from '../../src/faults/registry.ts';
import type { SceneNode } from '../../src/faults/scene.ts';
import { chooseTargets } from '../../src/faults/target.ts';
import { buildApp } from '../../src/http/app.ts';
import { Problem } from '../../src/lib/problem.ts';
import { capture, comparison } from './capture_samples.ts';
import { appFor, eventLog, pending, scripted, sourceOf } from './scripted.ts';
import { strictly } from './strict.ts';

// Each view with every field there is, and with free fields where there may be any.
const at = '2026-01-01T00:00:00.000Z';
const kind: KindView = {
  name: 'etcd',
  summary: 'Three members.',
  node_types: { etcd: ['etcd0', 'etcd1'] },
  roles: ['leader'],
  chaos_types: ['none', 'node_kill'],
  images: [{ image: 'subjectd/etcd:3.5', variable: 'ETCD_IMAGE', present: false, id: null, services: ['etcd0'] }],
  available: false,
  reason: 'IMAGE_UNAVAILABLE',
  detail: 'Not on the engine.',
};
const subject: SubjectView = {
  name: 'etcd',
  kind: 'etcd',
  project: 't-etcd',
  phase: 'running',
  generation: 4,
  nodes: [
    { name: 'etcd0', type: 'etcd', container: 't-etcd-etcd0-1', container_id: 'abc', state: 'running', role: 'leader' },
    { name: 'etcd1', type: 'etcd', container: 't-etcd-etcd1-1', container_id: null, state: 'absent' },
  ],
  endpoints: [{ node: 'etcd0', port: 2379, protocol: 'tcp', outside: null, inside: 'etcd0:2379' }],
  operation: 'op_1',
};
const reset: ResetResult = {
  operation: 'op_1',
  subject: 'etcd',
  generation: 5,
  healthy: true,
  duration_ms: 4021,
  phases: [{ name: 'burn', duration_ms: 200.5 }],
  notes: ['Healed flt_1 first.'],
};
const health: HealthView = {
  subject: 'etcd',
  healthy: false,
  has_issues: true,
  nodes: [{ id: '1', name: 'etcd0', type: 'etcd', health: 'down', address: 'etcd0:2379' }],
  issues: ['etcd0 is down.'],
  details: { members: [{ any: { thing: null } }] },
  last_updated: at,
};
const state: StateView = {
  subject: 'etcd',
  kind: 'etcd',
  captured_at: at,
  complete: false,
  missing: ['members.etcd0'],
  state: { revision: 7, deep: { deeper: [{}] } },
};
const chaosType: ChaosTypeView = {
  name: 'node_kill',
  summary: 'Kills.',
  available: true,
  reason: null,
  detail: null,
  mechanism: 'engine',
  params_schema: { type: 'object', properties: { signal: { enum: ['SIGKILL'] } } },
  default_target: { type: 'etcd' },
};
const fault: Fault = {
  id: 'flt_1',
  subject: 'etcd',
  generation: 4,
  chaos_type: 'node_kill',
  state: 'healed',
  seed: Number.MAX_SAFE_INTEGER,
  targets: [{ node: 'etcd1', container: 't-etcd-etcd1-1', container_id: 'abc' }],
  selection: { candidates: ['etcd0', 'etcd1'], algorithm: 'sha256-v1', draws: [1] },
  params: { signal: 'SIGKILL' },
  mechanism: 'engine',
  effect: {
    verdict: 'confirmed',
    observed_ms: 84.2,
    between: [at, at],
    evidence: [{ check: 'container_state', before: 'running', after: null, exit_code: 137 }],
  },
  injected_at: at,
  expires_at: at,
  guarded: false,
  ended_by: 'api',
  heal: { verdict: 'dirty', residue: [{ node: 'etcd1', what: 'it is down' }], undone_ms: 61, recovered_ms: null },
  on_target_restart: 'reapply',
  uncovered: [],
  metadata: { fault_id: 'flt_1', target_container: 't-etcd-etcd1-1' },
};
const planned: Fault = { ...fault, id: 'flt_2', state: 'planned', effect: null, injected_at: null, ended_by: null, heal: null };
/** As a target by role is really chosen, with the system's replies that prove the role. */
const { targets: byRole, selection } = await chooseTargets(
  {
    type: typeNamed({}, 'node_kill'),
    request: { role: 'leader' },
    named: null,
    nodes: [
      { name: 'etcd1', container: 't-etcd-etcd1-1', containerId: 'abc', running: true, sharesNetworkWith: [] } as unknown as SceneNode,
    ],
    seed: 7,
    busy: new Map(),
  },
  async () => [{ node: 'etcd1', role: 'leader', proof: { leader: '7', term: 3 } }],
);
const ofRole: Fault = { ...planned, id: 'flt_3', targets: byRole, selection };
const plan: FaultPlanView = {
  dry_run: true,
  subject: 'etcd',
  chaos_type: 'node_kill',
  seed: 7,
  targets: fault.targets,
  selection,
  params: {},
  mechanism: 'engine',
  plan: [{ op: 'engine.kill', node: 'etcd1' }],
  undo: [{ op: 'engine.start', node: 'etcd1' }],
  ttl_ms: 600_000,
};
const failed: Operation = {
  ...pending('inject').operation,
  state: 'failed',
  ended_at: at,
  error: new Problem('effect_not_observed', 'Nothing.', { effect: fault.effect }).toBody(),
};
const succeeded: Operation = { ...pending('inject').operation, state: 'succeeded', ended_at: at, result: fault };

const done = (result: unknown) => {
  const running = pending();
  running.end({ state: 'succeeded', result });
  return running;
};

describe('no answer loses or changes what the control said, and each is what the contract says', () => {
  const post = (url: string, payload: object) => ({ method: 'POST' as const, url, payload });
  const cases: [string, string | { method: 'POST' | 'PATCH' | 'DELETE'; url: string; payload?: object }, unknown, string][] = [
    ['kinds', '/v1/kinds', { kinds: [kind], next_cursor: null }, 'KindList'],
    ['a kind', '/v1/kinds/etcd', kind, 'Kind'],
    ['subjects', '/v1/subjects', { subjects: [subject], next_cursor: null }, 'SubjectList'],
    ['a subject', '/v1/subjects/etcd', subject, 'Subject'],
    ['a new subject', post('/v1/subjects', { kind: 'etcd' }), subject, 'Subject'],
    ['a torn-down subject', { method: 'DELETE', url: '/v1/subjects/etcd' }, subject, 'Subject'],
    ['a reset', post('/v1/subjects/etcd/reset', {}), reset, 'Reset'],
    ['health', '/v1/subjects/etcd/health', health, 'Health'],
    ['state', '/v1/subjects/etcd/state', state, 'State'],
    ['a new capture', post('/v1/subjects/etcd/captures', { label: 'before' }), capture, 'Capture'],
    ['a capture', '/v1/subjects/etcd/captures/cap_1', capture, 'Capture'],
    ['captures', '/v1/subjects/etcd/captures', { captures: [comparison.a, comparison.b], next_cursor: 'cap_1' }, 'CaptureList'],
    ['two captures', '/v1/subjects/etcd/captures/cap_1/diff/cap_2', comparison, 'Comparison'],
    ['chaos types', '/v1/subjects/etcd/chaos-types', { chaos_types: [chaosType] }, 'ChaosTypeList'],
    ['a fault', '/v1/subjects/etcd/faults/flt_1', fault, 'Fault'],
    ['an injected fault', post('/v1/subjects/etcd/faults', { chaos_type: 'node_kill' }), planned, 'Fault'],
    ['a fault of a role', '/v1/subjects/etcd/faults/flt_3', ofRole, 'Fault'],
    ['a plan', post('/v1/subjects/etcd/faults', { chaos_type: 'node_kill', dry_run: true }), plan, 'FaultPlan'],
    ['faults', '/v1/subjects/etcd/faults', { faults: [fault, planned], next_cursor: 'flt_1' }, 'FaultList'],
    ['a renewed fault', { method: 'PATCH', url: '/v1/subjects/etcd/faults/flt_1', payload: { ttl_ms: 1 } }, fault, 'Fault'],
    ['a healed fault', { method: 'DELETE', url: '/v1/subjects/etcd/faults/flt_1' }, fault, 'Fault'],
    ['all healed faults', { method: 'DELETE', url: '/v1/subjects/etcd/faults' }, { faults: [fault] }, 'HealedFaults'],
    ['an operation', '/v1/operations/op_1', failed, 'Operation'],
    ['a cancelled operation', post('/v1/operations/op_1/cancel', {}), succeeded, 'Operation'],
    ['readiness', '/readyz', { ready: true, engine: true, ledger: true }, 'Ready'],
    ['life', '/healthz', { status: 'ok', version: '0.0.0-test' }, 'Alive'],
  ];
  const control = scripted({
    kinds: async () => [kind],
    kind: async () => kind,
    subjects: async () => [subject],
    subject: async () => subject,
    createSubject: async () => subject,
    deleteSubject: () => done(subject),
    reset: () => done(reset),
    health: async () => health,
    state: async () => state,
    capture: async () => capture,
    findCapture: async () => capture,
    captures: async () => ({ items: [comparison.a, comparison.b], next_cursor: 'cap_1' }),
    compareCaptures: async () => comparison,
    chaosTypes: async () => [chaosType],
    planFault: async () => plan,
    inject: () => done(planned),
    faults: () => ({ items: [fault, planned], next_cursor: 'flt_1' }),
    fault: (_subject, id) => (id === ofRole.id ? ofRole : fault),
    renewFault: async () => fault,
    heal: () => done(fault),
    healAll: () => done({ faults: [fault] }),
    operation: async () => failed,
    cancelOperation: () => succeeded,
    readiness: async () => ({ engine: true, ledger: true }),
  });
  let app: FastifyInstance;
  let check: ReturnType<typeof strictly>;
  before(async () => {
    app = await buildApp({ control, logger: false, token: null, allowedHosts: [], version: '0.0.0-test' });
    check = strictly((await app.inject('/openapi.json')).json());
  });
  after(() => app.close());

  for (const [name, request, expected, component] of cases) {
    test(name, async () => {
      const reply = await app.inject(typeof request === 'string' ? { url: request } : request);
      assert.ok(reply.statusCode < 300, reply.body);
      assert.match(String(reply.headers['content-type']), /^application\/json/);
      assert.deepEqual(reply.json(), expected);
      check(component, reply.json());
    });
  }

  test('events', async (t) => {
    const log = eventLog(t);
    const event = log.emit('fault.injected', null, { any: { thing: [1] } });
    const app = await appFor(t, scripted({ events: sourceOf(log) }));
    const reply = await app.inject({ url: '/v1/events', headers: { accept: 'application/json' } });
    assert.deepEqual(reply.json(), { events: [event], next_cursor: null });
    check('EventList', reply.json());
  });

  test('metrics, as they are', async (t) => {
    const text = '# HELP up x\nup{a="b"} 1\n';
    const app = await appFor(t, scripted({ metrics: async () => ({ contentType: 'text/plain; version=0.0.4; charset=utf-8', text }) }));
    const reply = await app.inject('/metrics');
    assert.equal(reply.headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
    assert.equal(reply.body, text);
  });

  test('a field that the contract does not know would be found', () => {
    assert.ok(ofRole.selection.proof?.[0]?.proof, 'the role is proven');
    assert.throws(() => check('Fault', { ...fault, more: 1 }), /must NOT have additional properties/);
    assert.throws(() => check('Subject', { ...subject, nodes: [{ ...subject.nodes[0], more: 1 }] }), /must NOT have additional/);
  });
});

describe('lists', () => {
  test('of kinds and subjects go by name, page by page', async (t) => {
    const names = ['b', 'a', 'c'];
    const app = await appFor(t, scripted({ subjects: async () => names.map((name) => ({ ...subject, name })) }));
    const first = (await app.inject('/v1/subjects?limit=2')).json();
    assert.deepEqual([first.subjects.map((s: SubjectView) => s.name), first.next_cursor], [['a', 'b'], 'subject:b']);
    const second = (await app.inject('/v1/subjects?limit=2&cursor=subject:b')).json();
    assert.deepEqual([second.subjects.map((s: SubjectView) => s.name), second.next_cursor], [['c'], null]);
    names.shift();
    assert.deepEqual((await app.inject('/v1/subjects?limit=2&cursor=subject:b')).json(), second, 'the item of the cursor is gone');
  });

  test('of captures hand limit and cursor on', async (t) => {
    const seen: unknown[] = [];
    const captures = async (...args: unknown[]) => {
      seen.push(args);
      return { items: [], next_cursor: null };
    };
    const app = await appFor(t, scripted({ captures }));
    await app.inject('/v1/subjects/etcd/captures');
    await app.inject('/v1/subjects/etcd/captures?limit=2&cursor=cap_01J8Z0V0M6C1X4W6S0F4JYQ3ZB');
    assert.deepEqual(seen, [
      ['etcd', { limit: 50 }],
      ['etcd', { limit: 2, cursor: 'cap_01J8Z0V0M6C1X4W6S0F4JYQ3ZB' }],
    ]);
    assert.equal((await app.inject('/v1/subjects/etcd/captures?cursor=flt_01J8Z0V0M6C1X4W6S0F4JYQ3ZB')).statusCode, 400);
  });

  test('of faults hand limit and cursor on', async (t) => {
    const seen: unknown[] = [];
    const app = await appFor(
      t,
      scripted({
        faults: (...args) => {
          seen.push(args);
          return { items: [], next_cursor: null };
        },
      }),
    );
    await app.inject('/v1/subjects/etcd/faults');
    await app.inject('/v1/subjects/etcd/faults?limit=500&cursor=flt_01J8Z0V0M6C1X4W6S0F4JYQ3ZB');
    assert.deepEqual(seen, [
      ['etcd', { limit: 50 }],
      ['etcd', { limit: 500, cursor: 'flt_01J8Z0V0M6C1X4W6S0F4JYQ3ZB' }],
    ]);
  });
});
