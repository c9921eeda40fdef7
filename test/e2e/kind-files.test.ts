import assert from 'node:assert/strict';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { KindView, ResetResult } from '../../src/control/api.ts';
import { MadeKinds } from './made_kinds.ts';
import { docker, leftovers, type ProblemReply, root, Service, testEnv } from './service.ts';

const prefix = testEnv.SUBJECTD_PROJECT_PREFIX;

describe('the files and images of a kind', () => {
  const kinds = new MadeKinds();
  let service: Service;
  before(async () => {
    docker('tag', 'subjectd/etcd:3.5', 'subjectd-test/retagged:1');
    kinds.add('edited', 'services:\n  a:\n    image: subjectd/etcd:3.5\n    entrypoint: [sleep, "600"]\n');
    kinds.add('retagged', 'services:\n  a:\n    image: subjectd-test/retagged:1\n    entrypoint: [sleep, "600"]\n');
    kinds.add('noimage', 'services:\n  a:\n    image: subjectd/there-is-none:1\n    pull_policy: never\n');
    kinds.add('badkey', 'services:\n  a:\n    image: subjectd/etcd:3.5\n    build: .\n');
    kinds.add('cycle', 'services:\n  a: {image: x, depends_on: [b]}\n  b: {image: x, depends_on: [a]}\n', ['a', 'b']);
    kinds.add('undefinedvar', 'services:\n  a:\n    image: $' + '{NOT_SET_ANYWHERE}\n');
    kinds.add('nobind', 'services:\n  a:\n    image: subjectd/etcd:3.5\n    volumes: ["./missing.conf:/etc/x.conf:ro"]\n');
    service = await Service.start({ SUBJECTD_SUBJECTS_DIR: kinds.folder });
  });
  after(async () => {
    await service.close();
    kinds.remove();
    docker('rmi', 'subjectd-test/retagged:1');
    for (const name of ['edited', 'retagged']) assert.deepEqual(leftovers(`${prefix}${name}`), [], name);
  });

  test('an image that cannot be had is 422 IMAGE_UNAVAILABLE with what to do, in the catalogue too', async () => {
    const reset = await service.post<ProblemReply>('/v1/subjects/noimage/reset');
    assert.deepEqual([reset.status, reset.body.code], [422, 'IMAGE_UNAVAILABLE']);
    assert.match(reset.body.detail, /subjectd\/there-is-none:1/);
    const shown = await service.get<KindView>('/v1/kinds/noimage');
    assert.deepEqual([shown.body.available, shown.body.reason], [false, 'IMAGE_UNAVAILABLE']);
  });

  test('a compose file that cannot be used is refused with file, line and column', async () => {
    for (const [name, line, text] of [
      ['badkey', 4, /build/],
      ['cycle', 2, /a|b/],
      ['undefinedvar', 3, /NOT_SET_ANYWHERE/],
      ['nobind', 4, /missing\.conf/],
    ] as const) {
      const reset = await service.post<ProblemReply & { issues: { file: string; line: number; column: number; message: string }[] }>(
        `/v1/subjects/${name}/reset`,
      );
      assert.deepEqual([reset.status, reset.body.code], [422, 'compose_invalid'], `${name}: ${JSON.stringify(reset.body)}`);
      const issue = reset.body.issues[0];
      assert.deepEqual([issue?.file.endsWith('compose.yaml'), issue?.line], [true, line], `${name}: ${JSON.stringify(reset.body.issues)}`);
      assert.ok((issue?.column ?? 0) >= 1);
      assert.match(issue?.message ?? '', text);
      assert.equal((await service.get<KindView>(`/v1/kinds/${name}`)).body.reason, 'COMPOSE_INVALID');
    }
  });

  test('an image that is retagged while the service runs is reported, and the pinned one is used', async () => {
    assert.equal((await service.post('/v1/subjects/retagged/reset')).status, 200);
    const image = () => docker('inspect', '-f', '{{.Image}}', `${prefix}retagged-a-1`);
    const pinned = image();
    docker('tag', 'subjectd/redis:8', 'subjectd-test/retagged:1');
    const reset = await service.post<ResetResult>('/v1/subjects/retagged/reset');
    assert.equal(reset.status, 200, JSON.stringify(reset.body));
    assert.ok(
      reset.body.notes.some((n) => n.includes('subjectd-test/retagged:1 is now another one')),
      JSON.stringify(reset.body.notes),
    );
    assert.equal(image(), pinned);
  });

  test('a compose file that is edited while the service runs is reported, not used', async () => {
    cpSync(join(root, 'subjects/etcd/compose.yaml'), join(kinds.folder, 'edited', 'compose.yaml'));
    const reset = await service.post<ResetResult>('/v1/subjects/edited/reset');
    assert.equal(reset.status, 200, JSON.stringify(reset.body));
    assert.ok(
      reset.body.notes.some((n) => n.includes('compose file changed')),
      JSON.stringify(reset.body.notes),
    );
  });
});
