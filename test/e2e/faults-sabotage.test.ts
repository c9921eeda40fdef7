import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { EngineError } from '../../src/engine/port.ts';
import { isLive } from '../../src/faults/fault.ts';
import { type Answer, Rig } from './faults-rig.ts';
import { boundedS, type Saboteur, undoAgainAndAgain, undoing } from './saboteur.ts';
import { docker } from './service.ts';

const target = { node: 'cell0' };
/** One call to the engine again and again; the engine's refusals are part of it. */
async function byEngine(call: (signal: AbortSignal) => Promise<void>): Promise<Saboteur> {
  const stop = new AbortController();
  const bounded = AbortSignal.timeout(boundedS * 1000);
  const loop = (async () => {
    while (!stop.signal.aborted && !bounded.aborted) {
      await call(bounded).catch((error: unknown) => {
        if (!(error instanceof EngineError)) throw error;
      });
    }
  })();
  return {
    stop: async () => {
      stop.abort();
      await loop;
    },
  };
}

interface Case {
  what: string;
  chaos_type: string;
  params?: Record<string, unknown>;
  begin(rig: Rig): Promise<Saboteur>;
}

const cases: Case[] = [
  { what: 'its rules are flushed', chaos_type: 'network_partition', begin: (rig) => undoAgainAndAgain(rig, undoing.ruleset(rig)) },
  {
    what: 'its rules are flushed',
    chaos_type: 'latency',
    params: { min_ms: 40, max_ms: 60 },
    begin: (rig) => undoAgainAndAgain(rig, undoing.ruleset(rig)),
  },
  {
    what: 'its rules are flushed',
    chaos_type: 'packet_loss',
    params: { percent: 60 },
    begin: (rig) => undoAgainAndAgain(rig, undoing.ruleset(rig)),
  },
  {
    what: 'its qdisc is removed',
    chaos_type: 'bandwidth',
    params: { rate_kbit: 2000 },
    begin: (rig) => undoAgainAndAgain(rig, undoing.qdisc(rig)),
  },
  {
    what: 'its qdisc is replaced by one that does nothing',
    chaos_type: 'bandwidth',
    params: { rate_kbit: 2000 },
    begin: (rig) => undoAgainAndAgain(rig, undoing.emptyQdisc(rig)),
  },
  { what: 'the node is started again', chaos_type: 'node_kill', begin: (rig) => startAgain(rig) },
  { what: 'the node is started again', chaos_type: 'node_stop', begin: (rig) => startAgain(rig) },
  {
    what: 'the node is unpaused',
    chaos_type: 'node_pause',
    begin: (rig) => {
      const id = rig.id('cell0');
      return byEngine((signal) => rig.engine.unpauseContainer(id, signal));
    },
  },
  {
    what: 'the quota is lifted',
    chaos_type: 'cpu_pressure',
    params: { percent: 90 },
    begin: (rig) => undoAgainAndAgain(rig, undoing.quota(rig)),
  },
  {
    what: 'the ballast is killed',
    chaos_type: 'memory_pressure',
    params: { percent: 70 },
    begin: (rig) => undoAgainAndAgain(rig, undoing.ballast(rig)),
  },
  {
    what: 'the file is removed',
    chaos_type: 'disk_pressure',
    params: { fill_percent: 70 },
    begin: (rig) => undoAgainAndAgain(rig, undoing.file(rig)),
  },
];

async function startAgain(rig: Rig): Promise<Saboteur> {
  const id = rig.id('cell0');
  return byEngine((signal) => rig.engine.startContainer(id, signal));
}

describe('verdicts are true', () => {
  let rig: Rig;
  before(async () => {
    rig = await Rig.start();
  });
  after(() => rig.close());

  /** Nothing of it is in the subject or in the service's list. */
  async function nothingLeft(): Promise<void> {
    const { faults } = (await rig.service.get<{ faults: { state: Parameters<typeof isLive>[0] }[] }>(`${rig.at}/faults`)).body;
    assert.deepEqual(
      faults.filter((f) => isLive(f.state)),
      [],
    );
    assert.deepEqual(await rig.residue(), []);
    assert.equal(docker('inspect', '--format', '{{.State.Status}}', rig.container('cell0')), 'running');
  }

  describe('an effect that somebody undoes at once is not confirmed', () => {
    for (const { what, chaos_type, params, begin } of cases) {
      test(`${chaos_type}: ${what}`, async (t) => {
        const request = { chaos_type, target, ...(params ? { params } : {}) };
        const saboteur = await begin(rig);
        let required: Answer;
        let kept: Answer;
        try {
          required = await rig.inject(request);
          if (required.status === 201) await rig.heal(required.body);
          kept = await rig.inject({ ...request, require_effect: false });
        } finally {
          await saboteur.stop();
        }
        const verdict = (answer: Answer) => answer.body.effect?.verdict;
        t.diagnostic(
          `required: ${required.status} ${required.body.code ?? verdict(required)}, kept: ${kept.status} ${kept.body.code ?? verdict(kept)}`,
        );
        assert.notEqual(verdict(required), 'confirmed', JSON.stringify(required.body));
        assert.notEqual(verdict(kept), 'confirmed', JSON.stringify(kept.body));
        // A step can fail outright while its work is being undone under its hands; then there is a problem that says so.
        assert.ok([201, 422, 503].includes(required.status), JSON.stringify(required.body));
        if (required.status === 422) {
          assert.equal(required.body.code, 'effect_not_observed');
          assert.ok((required.body.effect?.evidence.length ?? 0) > 0, JSON.stringify(required.body));
        }
        assert.ok([201, 503].includes(kept.status), JSON.stringify(kept.body));
        if (kept.status === 201) await rig.heal(kept.body);
        await nothingLeft();
      });
    }
  });

  describe('a real fault is confirmed although both cores are busy', () => {
    const loops: ChildProcess[] = [];
    before(() => {
      const busy = `const end = Date.now() + ${boundedS * 1000}; while (Date.now() < end);`;
      for (let n = 0; n < 2; n++) loops.push(spawn(process.execPath, ['-e', busy], { stdio: 'ignore' }));
    });
    after(async () => {
      for (const loop of loops) {
        const ended = once(loop, 'exit');
        if (loop.kill('SIGKILL')) await ended;
      }
    });
    const real: [string, Record<string, unknown>][] = [
      ['latency', { min_ms: 50, max_ms: 100 }],
      ['packet_loss', { percent: 30 }],
      ['bandwidth', { rate_kbit: 2000 }],
      ['network_partition', {}],
      ['cpu_pressure', { percent: 90 }],
    ];
    for (const [chaos_type, params] of real) {
      test(chaos_type, async () => {
        assert.ok(loops.every((l) => l.exitCode === null));
        const fault = await rig.confirmed({ chaos_type, target: { node: 'cell1' }, params });
        await rig.healedClean(fault);
      });
    }
  });
});
