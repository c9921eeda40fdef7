import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { kindView } from '../../src/control/catalogue.ts';
import type { Context } from '../../src/control/context.ts';
import type { Adapter } from '../../src/kind/adapter.ts';
import type { Kind } from '../../src/kind/loader.ts';
import { adapter as etcd } from '../../subjects/etcd/adapter.ts';
import { adapter as ratelimiter } from '../../subjects/ratelimiter/adapter.ts';
import { adapter as tikv } from '../../subjects/tikv/adapter.ts';
import { folder } from './scripted.ts';

const subjects = fileURLToPath(new URL('../../subjects', import.meta.url));
const signal = new AbortController().signal;

function kindOf(adapter: Adapter, dir = join(subjects, adapter.kind)): Kind {
  return { name: adapter.kind, dir, composeFile: join(dir, 'compose.yaml'), adapter };
}

/** The catalogue's view on an engine that has these images. */
function viewOf(kind: Kind, env: Record<string, string> = {}, present: string[] = []) {
  const engine = { inspectImage: async (image: string) => (present.includes(image) ? { id: 'sha256:1', volumes: [] } : null) };
  return kindView({ engine, env, projectPrefix: '', portOffset: 0 } as unknown as Context, kind, signal);
}

const variables = async (...of: Parameters<typeof viewOf>) =>
  Object.fromEntries((await viewOf(...of)).images.map((i) => [i.image, i.variable]));

function made(t: TestContext, image: string, imageVariables: string[]): Kind {
  const dir = join(folder(t), 'made');
  mkdirSync(dir);
  writeFileSync(join(dir, 'compose.yaml'), `services:\n  a:\n    image: ${image}\n`);
  return kindOf({ ...etcd, kind: 'made', nodeTypes: { a: 'node' }, imageVariables }, dir);
}

describe('an image that is not there is told with the variable that names another', () => {
  test('which is that of the compose file, set or not', async () => {
    assert.deepEqual(await variables(kindOf(etcd)), { 'subjectd/etcd:3.5': 'ETCD_IMAGE' });
    assert.deepEqual(await variables(kindOf(ratelimiter), { REDIS_IMAGE: 'my/redis:9' }), {
      'my/redis:9': 'REDIS_IMAGE',
      'subjectd/ratelimiter:1': 'RATELIMITER_IMAGE',
    });
    assert.deepEqual(await variables(kindOf(tikv), { COMPOSE_PROFILES: 'monitoring' }), {
      'pingcap/pd:v8.5.5': 'PD_IMAGE',
      'pingcap/tikv:v8.5.5': 'TIKV_IMAGE',
      'prom/prometheus:v2.54.1': 'PROMETHEUS_IMAGE',
    });
  });

  test('and only what is missing is advised', async () => {
    const env = { COMPOSE_PROFILES: 'monitoring' };
    const view = await viewOf(kindOf(tikv), env, ['pingcap/pd:v8.5.5', 'pingcap/tikv:v8.5.5']);
    assert.deepEqual(
      [view.reason, view.detail],
      [
        'IMAGE_UNAVAILABLE',
        'Not on the engine: prom/prometheus:v2.54.1. Pull or load it, or set PROMETHEUS_IMAGE to one that is here; a reset tries to pull it.',
      ],
    );
    assert.equal((await viewOf(kindOf(tikv), {}, ['pingcap/pd:v8.5.5', 'pingcap/tikv:v8.5.5'])).available, true);
  });

  test('a part of a name will do; where no variable is there is none', async (t) => {
    assert.deepEqual(await variables(made(t, `\${REGISTRY:-here}/x:\${TAG:-1}`, ['REGISTRY', 'TAG'])), { 'here/x:1': 'REGISTRY' });
    const plain = await viewOf(made(t, 'x:1', ['OTHER']));
    assert.equal(plain.images[0]?.variable, null);
    assert.equal(plain.detail, 'Not on the engine: x:1. Pull or load it; a reset tries to pull it.');
    // A digest takes no word: the file cannot be resolved with one, and the image is shown all the same.
    const digest = `sha256:${'a'.repeat(64)}`;
    assert.deepEqual(await variables(made(t, `x@\${DIGEST:-${digest}}`, ['DIGEST'])), { [`x@${digest}`]: null });
  });
});
