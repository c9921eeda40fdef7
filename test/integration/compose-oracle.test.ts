import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { interpolate } from '../../src/compose/interpolate.ts';
import { parsePort } from '../../src/compose/ports.ts';
import { resolveProject } from '../../src/compose/resolve.ts';
import { resolvePlain } from '../../src/compose/scalar.ts';
import { splitCommand } from '../../src/compose/shell.ts';
import { parseSize } from '../../src/compose/size.ts';
import { parseDuration } from '../../src/lib/duration.ts';
import { fromCompose, fromProject } from './compose-comparable.ts';
import { type Peer, startPeer } from './compose-peer.ts';
import { commandTexts, durationTexts, portTexts, scalarTexts, sizeTexts, variableTexts } from './compose-texts.ts';

// Debian's Compose (2.26) is the oracle: `docker compose config` must say of every file and every text what the resolver says.
const root = fileURLToPath(new URL('../../', import.meta.url)).replace(/\/$/, '');
const fixtures = join(root, 'test/fixtures/compose');
const kinds = join(root, 'subjects');
const environment: Record<string, string> = JSON.parse(readFileSync(join(fixtures, 'environment.json'), 'utf8'));

const fixtureFiles = readdirSync(fixtures)
  .filter((name) => name.endsWith('.yaml'))
  .map((name) => join(fixtures, name));
const kindFiles = readdirSync(kinds)
  .map((kind) => join(kinds, kind, 'compose.yaml'))
  .filter((file) => existsSync(file));

describe('the resolver agrees with Docker Compose', () => {
  let peer: Peer;
  before(async () => {
    peer = await startPeer([fixtures, kinds], environment, AbortSignal.timeout(600_000));
  });
  after(() => peer?.stop());

  it('on something: there are fixtures and kinds', () => {
    assert.ok(fixtureFiles.length > 10 && kindFiles.length > 0);
  });

  for (const file of [...fixtureFiles, ...kindFiles]) {
    for (const profiles of [[], ['*']]) {
      it(`on ${file.slice(root.length + 1)}${profiles.length > 0 ? ' with all profiles' : ''}`, async () => {
        const project = await resolveProject({ file, projectName: 'oracle', env: environment, profiles });
        assert.deepEqual(fromProject(project), fromCompose(await peer.config(file, profiles), environment));
      });
    }
  }

  /** One service for each text that the resolver takes; the file is JSON, so that the text alone is at stake. */
  async function ask(texts: string[], key: string, value: (text: string) => unknown): Promise<unknown[]> {
    assert.ok(texts.length >= 50, `only ${texts.length} texts to ask about`);
    const services = Object.fromEntries(texts.map((text, i) => [`s${i}`, { image: 'x', [key]: value(text) }]));
    const printed = JSON.parse(await peer.configOf(JSON.stringify({ services })));
    return texts.map((_, i) => printed.services[`s${i}`][key]);
  }

  const undouble = (value: unknown) => JSON.parse(JSON.stringify(value).replaceAll('$$', '$'));
  const double = (text: string) => text.replaceAll('$', '$$$$');

  it('on variables', async () => {
    const own = (text: string) => interpolate(text, (name) => environment[name]);
    const texts = variableTexts.filter((text) => own(text).errors.length === 0);
    const answers = await ask(texts, 'environment', (text) => ({ V: text }));
    assert.deepEqual(
      answers.map((answer, i) => [texts[i], undouble(answer)]),
      texts.map((text) => [text, { V: own(text).text }]),
    );
  });

  it('on the words of a command', async () => {
    const texts = commandTexts.filter((text) => typeof splitCommand(text) !== 'string');
    const answers = await ask(texts, 'command', double);
    assert.deepEqual(
      answers.map((answer, i) => [texts[i], undouble(answer)]),
      texts.map((text) => [text, splitCommand(text)]),
    );
  });

  it('on unquoted scalars', async () => {
    const texts = scalarTexts.filter((text) => !resolvePlain(text).odd && resolvePlain(text).value !== null);
    assert.ok(texts.length >= 50);
    const lines = texts.map((text, i) => `      V${i}: ${text}\n`).join('');
    const printed = JSON.parse(await peer.configOf(`services:\n  a:\n    image: x\n    environment:\n${lines}`));
    assert.deepEqual(
      texts.map((text, i) => [text, printed.services.a.environment[`V${i}`]]),
      texts.map((text) => [text, resolvePlain(text).text]),
    );
  });

  it('on ports', async () => {
    const texts = portTexts.filter((text) => typeof parsePort(text) !== 'string');
    const answers = await ask(texts, 'ports', (text) => [text]);
    type Printed = { target: number; published?: string; host_ip?: string; protocol: string };
    const spec = ({ target, published = '0', host_ip = '0.0.0.0', protocol }: Printed) => ({
      containerPort: target,
      hostPort: published === '0' ? null : Number(published),
      hostIp: host_ip,
      protocol,
    });
    assert.deepEqual(
      answers.map((answer, i) => [texts[i], (answer as Printed[]).map(spec).sort((a, b) => a.containerPort - b.containerPort)]),
      texts.map((text) => [text, parsePort(text)]),
    );
  });

  it('on sizes', async () => {
    const texts = sizeTexts.filter((text) => (parseSize(text) ?? 0) > 0);
    const answers = await ask(texts, 'shm_size', (text) => text);
    assert.deepEqual(
      answers.map((answer, i) => [texts[i], Number(answer)]),
      texts.map((text) => [text, parseSize(text)]),
    );
  });

  it('on durations', async () => {
    const day = 24 * 3_600_000;
    const texts = durationTexts.filter((text) => (parseDuration(text) ?? 0) >= 1 && (parseDuration(text) ?? 0) < 1000 * day);
    const answers = await ask(texts, 'stop_grace_period', (text) => text);
    const micros = (ms: number | null) => Math.round((ms ?? Number.NaN) * 1000);
    assert.deepEqual(
      answers.map((answer, i) => [texts[i], micros(parseDuration(String(answer)))]),
      texts.map((text) => [text, micros(parseDuration(text))]),
    );
  });
});
