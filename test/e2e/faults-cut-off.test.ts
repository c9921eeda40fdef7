import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { SubjectView } from '../../src/control/api.ts';
import type { Fault } from '../../src/faults/fault.ts';
import { deadline, until } from '../../src/lib/until.ts';
import { CuttableSocket } from './cuttable_socket.ts';
import { type ProblemReply, Service, testEnv } from './service.ts';

const at = '/v1/subjects/etcd';
const latency = { chaos_type: 'latency', target: { node: 'etcd0' }, params: { delay_ms: 40 } };

const faults = async (service: Service) => (await service.get<{ faults: Fault[] }>(`${at}/faults`)).body.faults;

/** Nobody works on the subject any more, the recovery included. */
async function free(service: Service): Promise<void> {
  using limited = deadline('nobody holds the subject', 30_000);
  await until(async () => ((await service.get<SubjectView>(at)).body.operation === null ? true : undefined), 20, limited);
}

describe('the engine goes away in the middle', () => {
  let socket: CuttableSocket;
  let service: Service;
  before(async () => {
    socket = await CuttableSocket.open(testEnv.SUBJECTD_PROJECT_PREFIX);
    service = await Service.start({ DOCKER_HOST: socket.dockerHost });
    assert.equal((await service.post(`${at}/reset`)).status, 200);
  });
  after(async () => {
    await socket.mend();
    await service.close();
    await socket.close();
  });

  /** Cuts the engine off when the newest fault is in this state; answers the fault when it has ended, after the engine is back. */
  async function cutIn(state: Fault['state'], asked: Promise<unknown>): Promise<Fault> {
    using limited = deadline(`a fault that is ${state}, and its end`, 60_000);
    const seen = await until(async () => (await faults(service)).find((f) => f.state === state), 2, limited);
    await socket.cut();
    await asked;
    const away = (await faults(service)).find((f) => f.id === seen.id);
    assert.ok(away !== undefined && away.heal?.verdict !== 'clean', `nobody could look: ${JSON.stringify(away)}`);
    assert.notEqual(away.effect?.verdict, 'confirmed');
    await socket.mend();
    return until(
      async () => {
        const now = (await faults(service)).find((f) => f.id === seen.id);
        return now !== undefined && ['healed', 'failed'].includes(now.state) ? now : undefined;
      },
      50,
      limited,
    );
  }

  test('of an injection: it fails, and nothing of it is left when the engine is back', async () => {
    const asked = service.post<ProblemReply>(`${at}/faults`, latency);
    const ended = await cutIn('injecting', asked);
    assert.ok((await asked).status >= 500, JSON.stringify((await asked).body));
    assert.equal(ended.heal?.verdict, 'clean', JSON.stringify(ended));
  });

  test('of a heal: it is unknown, and clean when the engine is back', async () => {
    await free(service);
    const injected = await service.post<Fault>(`${at}/faults`, { ...latency, require_effect: false });
    assert.equal(injected.status, 201, JSON.stringify(injected.body));
    using limited = deadline('the heal begins', 30_000);
    const asked = service.delete(`${at}/faults/${injected.body.id}`);
    await until(
      async () => {
        const now = (await service.get<Fault>(`${at}/faults/${injected.body.id}`)).body;
        assert.notEqual(now.state, 'healed', 'the heal was faster than the test');
        return now.state === 'healing' ? true : undefined;
      },
      1,
      limited,
    );
    await socket.cut();
    const { body } = await asked;
    assert.notEqual((body as unknown as Fault).heal?.verdict, 'clean', JSON.stringify(body));
    await socket.mend();
    const ended = await until(
      async () => {
        const now = (await service.get<Fault>(`${at}/faults/${injected.body.id}`)).body;
        return now.state === 'healed' ? now : undefined;
      },
      50,
      limited,
    );
    assert.equal(ended.heal?.verdict, 'clean', JSON.stringify(ended));
  });
});

describe('the ledger’s disk is full', () => {
  test('nothing is injected that could not be undone after a crash; what is there can be healed', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'subjectd-full-'));
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=512k', 'tmpfs', folder]);
    try {
      const service = await Service.start({ SUBJECTD_DATA_DIR: folder });
      try {
        assert.equal((await service.post(`${at}/reset`)).status, 200);
        const first = await service.post<Fault>(`${at}/faults`, latency);
        assert.equal(first.status, 201, JSON.stringify(first.body));
        const ballast = join(folder, 'ballast');
        assert.throws(() => writeFileSync(ballast, Buffer.alloc(1 << 20)), /ENOSPC/);
        const refused = await service.post<ProblemReply>(`${at}/faults`, { ...latency, target: { node: 'etcd1' } });
        assert.deepEqual([refused.status, refused.body.code], [503, 'ledger_unavailable'], JSON.stringify(refused.body));
        // A first record may still have had room; then there is more to be written at its end.
        const tried = async () => (await faults(service)).filter((f) => f.targets[0]?.node === 'etcd1');
        assert.deepEqual(
          (await tried()).filter((f) => f.state === 'active'),
          [],
        );
        const reset = await service.post<ProblemReply>(`${at}/reset`);
        assert.deepEqual([reset.status, reset.body.code], [503, 'ledger_unavailable'], JSON.stringify(reset.body));
        const { body: kept } = await service.get<Fault>(`${at}/faults/${first.body.id}`);
        assert.equal(kept.state, 'active');
        rmSync(ballast);
        using limited = deadline('the failed injection is recorded as such', 30_000);
        await until(
          async () => ((await tried()).every((f) => f.state === 'failed' && f.heal?.verdict === 'clean') ? true : undefined),
          50,
          limited,
        );
        await free(service);
        const healed = await service.delete<Fault>(`${at}/faults/${first.body.id}`);
        assert.equal(healed.body.heal?.verdict, 'clean', JSON.stringify(healed.body));
      } finally {
        await service.close();
      }
    } finally {
      execFileSync('umount', [folder]);
      rmSync(folder, { recursive: true });
    }
  });
});
