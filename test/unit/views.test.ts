import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Host } from '../../src/control/host.ts';
import { subjectView } from '../../src/control/views.ts';
import type { Adapter } from '../../src/kind/adapter.ts';
import { resolveYaml, withService } from './compose-helpers.ts';

/** What is told of a port of this entry. */
async function outside(entry: string, advertiseHost: string | null): Promise<string | null | undefined> {
  const project = await resolveYaml(withService(`ports: ["${entry}"]`));
  const adapter = { kind: 'k', nodeTypes: { a: 'a' } } as unknown as Adapter;
  const kind = { name: 'k', dir: '/kind', composeFile: project.file, adapter };
  const host = { subject: { name: 's', kind, project, portShift: 0 }, phase: 'absent', generation: 0, holder: null } as unknown as Host;
  const [endpoint] = subjectView(host, [], [], advertiseHost).endpoints;
  assert.equal(endpoint?.inside, 'a:80');
  return endpoint?.outside;
}

describe('the endpoint of a port', () => {
  const cases: [string, string, string][] = [
    ['127.0.0.1:8001:80', '127.0.0.1:8001', '127.0.0.1:8001'],
    ['127.0.0.5:8001:80', '127.0.0.5:8001', '127.0.0.5:8001'],
    ['[::1]:8001:80', '[::1]:8001', '[::1]:8001'],
    ['[::ffff:127.0.0.1]:8001:80', '[::ffff:127.0.0.1]:8001', '[::ffff:127.0.0.1]:8001'],
    ['8001:80', '127.0.0.1:8001', 'runner.example:8001'],
    ['0.0.0.0:8001:80', '127.0.0.1:8001', 'runner.example:8001'],
    ['[::]:8001:80', '[::1]:8001', 'runner.example:8001'],
    ['10.0.0.5:8001:80', '10.0.0.5:8001', 'runner.example:8001'],
    ['[fd00::5]:8001:80', '[fd00::5]:8001', 'runner.example:8001'],
  ];
  for (const [entry, plain, advertised] of cases) {
    it(`${entry} is ${advertised} with an advertised host`, async () => {
      assert.equal(await outside(entry, null), plain);
      assert.equal(await outside(entry, 'runner.example'), advertised);
    });
  }

  it('has brackets around an advertised IPv6 address', async () => assert.equal(await outside('8001:80', 'fd00::1'), '[fd00::1]:8001'));

  it('is not known before the engine has picked one', async () => assert.equal(await outside('80', 'runner.example'), null));
});
