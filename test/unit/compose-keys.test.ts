import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { subset } from '../../src/compose/keys/subset.ts';
import type { Project } from '../../src/compose/model.ts';
import { issuesOf, memoryFiles, resolveYaml } from './compose-helpers.ts';
import { samples } from './compose-samples.ts';

/** Keys whose only accepted value is the one that is meant without them. */
const onlyDefault = [
  'services.NAME.privileged',
  'services.NAME.scale',
  'networks.NAME.external',
  'networks.NAME.enable_ipv4',
  'networks.NAME.ipam.driver',
  'volumes.NAME.external',
  'configs.NAME.external',
  'secrets.NAME.external',
  'services.NAME.env_file[].required',
];

const options = { env: { SET: 'value' }, files: memoryFiles({ '/kind/e.env': 'FROM_FILE=1', '/kind/there': 'directory' }) };

const meaning = ({ services, networks, volumes }: Project) => ({
  services: services.map(({ at: _at, ...rest }) => rest),
  networks,
  volumes,
});

/** Under some headings there is no file without any of the keys to compare with. */
function effectOf(heading: string, path: string, support: string): 'changes nothing' | 'changes the project and its hash' | 'is accepted' {
  if (['Top level', 'configs.NAME', 'secrets.NAME'].includes(heading)) return 'is accepted';
  return support === 'ignored' || onlyDefault.includes(path) ? 'changes nothing' : 'changes the project and its hash';
}

describe('every key of the subset', () => {
  for (const [heading, table] of Object.entries(subset)) {
    const sample = samples[heading];
    for (const [key, { support, note }] of Object.entries(table)) {
      const path = `${heading}.${key}`;
      if (support === 'refused') {
        it(`${path} is refused with its way out`, async () => {
          assert.ok(sample, `no sample for ${heading}`);
          const issues = await issuesOf(sample.base(`${key}: 1`), options);
          assert.ok(
            issues.some((issue) => issue.message === `${key} is not supported: ${note}`),
            JSON.stringify(issues),
          );
        });
        continue;
      }
      const entry = sample?.keys[key];
      if (entry === '' || entry === 'x-none: 0') continue;
      const effect = effectOf(heading, path, support);
      it(`${path} ${effect}`, async () => {
        assert.ok(sample && entry !== undefined, `no sample for ${path}`);
        const given = await resolveYaml(sample.base(entry), options);
        if (effect === 'is accepted') return;
        const without = await resolveYaml(sample.base(''), options);
        const same = effect === 'changes nothing';
        assert.equal(isDeepStrictEqual(meaning(given), meaning(without)), same);
        assert.equal(given.hash === without.hash, same);
      });
    }
  }

  it('has a sample, and every sample a key', () => {
    for (const [heading, table] of Object.entries(subset)) {
      const wanted = Object.entries(table).filter(([, { support }]) => support !== 'refused');
      assert.deepEqual(Object.keys(samples[heading]?.keys ?? {}).sort(), wanted.map(([key]) => key).sort(), heading);
    }
  });
});
