import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Problem } from '../../src/lib/problem.ts';
import { withHostBinds } from '../../src/reset/binds.ts';
import { memoryFiles, resolveYaml } from './compose-helpers.ts';

const text = `services:
  a:
    image: x
    volumes: ["./a.conf:/etc/a.conf:ro", "data:/data", "/plain:/plain:ro"]
    tmpfs: /tmp
  b: {image: x}
  c:
    image: x
    volumes: ["/etc/own:/own:ro"]
volumes: {data: }
`;
const files = memoryFiles({ '/kind/a.conf': 'x', '/plain': 'directory', '/etc/own': 'x' });
const bind = (source: string, destination: string) => ({ type: 'bind', name: null, source, destination });
const asItIs = async (path: string) => path;

describe('the binds of a service in a container', () => {
  it('have the sources that the engine’s host has, and nothing else is changed', async () => {
    const project = await resolveYaml(text, { files });
    const mounts = [bind('/srv/kind', '/kind'), bind('/plain', '/plain'), bind('/srv/etc', '/etc')];
    const moved = await withHostBinds(project, mounts, asItIs);
    const sources = moved.services.map((s) => s.mounts.flatMap((m) => (m.type === 'bind' ? [m.source] : [])));
    assert.deepEqual(sources, [['/srv/kind/a.conf', '/plain'], [], ['/srv/etc/own']]);
    assert.deepEqual(moved.services[0]?.mounts.slice(1, 2), project.services[0]?.mounts.slice(1, 2));
    assert.equal(moved.hash, project.hash);
    assert.deepEqual(
      project.services.flatMap((s) => s.mounts.flatMap((m) => (m.type === 'bind' ? [m.source] : []))),
      ['/kind/a.conf', '/plain', '/etc/own'],
    );
  });

  it('are looked up where their links lead', async () => {
    const project = await resolveYaml(text, { files });
    const mounts = [bind('/srv/kind', '/kind'), bind('/plain', '/plain'), bind('/srv/real', '/real')];
    const moved = await withHostBinds(project, mounts, async (path) => path.replace(/^\/etc\/own$/, '/real/own'));
    assert.deepEqual(
      moved.services[2]?.mounts.map((m) => (m.type === 'bind' ? m.source : '')),
      ['/srv/real/own'],
    );
  });

  it('are refused, all at once and with the way out, where the container has them to itself', async () => {
    const project = await resolveYaml(text, { files });
    await assert.rejects(withHostBinds(project, [bind('/plain', '/plain')], asItIs), (error) => {
      assert.ok(error instanceof Problem);
      assert.equal(error.code, 'compose_invalid');
      assert.match(
        error.message,
        /^compose\.yaml:2:3: services\.a\.volumes: \/kind\/a\.conf is in the container of subjectd itself.*\(and 1 more/,
      );
      assert.match(error.message, /mount its folder into that container at the same path, or use configs:/);
      return true;
    });
  });
});
