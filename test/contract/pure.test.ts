import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { preferredType } from '../../src/http/accept.ts';
import { hostAllowed, parseHost, sameOrigin } from '../../src/http/host.ts';
import { pageByName } from '../../src/http/pages.ts';
import { parsePrefer } from '../../src/http/prefer.ts';

describe('Prefer (RFC 7240)', () => {
  const cases: [string | string[] | undefined, number | null, string][] = [
    [undefined, null, ''],
    ['', null, ''],
    ['respond-async', 0, 'respond-async'],
    ['Respond-Async', 0, 'respond-async'],
    ['wait=10', 10_000, 'wait=10'],
    ['Wait = 10', 10_000, 'wait=10'],
    ['wait="10"', 10_000, 'wait=10'],
    ['respond-async, wait=10', 10_000, 'respond-async, wait=10'],
    [['respond-async', 'wait=10'], 10_000, 'respond-async, wait=10'],
    ['wait=10;foo="a,b", respond-async', 10_000, 'respond-async, wait=10'],
    ['foo="respond-async, wait=3", wait=4', 4000, 'wait=4'],
    ['wait=1, wait=2', 1000, 'wait=1'],
    ['return=minimal; x=y, handling=lenient', null, ''],
    ['respond-async=""', 0, 'respond-async'],
    ['respond-async=no', null, ''],
    ['wait=soon', null, ''],
    ['wait=-1', null, ''],
    ['wait', null, ''],
    ['wait=0', 0, 'wait=0'],
    ['wait=999999999', 86_400_000, 'wait=999999999'],
    [', ,;;=, respond-async', 0, 'respond-async'],
  ];
  for (const [header, patienceMs, applied] of cases) {
    test(`${JSON.stringify(header)} is ${patienceMs === null ? 'no preference' : `a patience of ${patienceMs} ms`}`, () => {
      assert.deepEqual(parsePrefer(header), { patienceMs, applied });
    });
  }

  test('never throws, whatever is sent', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (header) => assert.ok(parsePrefer(header))));
  });
});

describe('Accept', () => {
  const cases: [string | undefined, string][] = [
    [undefined, 'text/event-stream'],
    ['*/*', 'text/event-stream'],
    ['application/json', 'application/json'],
    ['application/json, text/event-stream', 'text/event-stream'],
    ['application/json;q=0.9, text/event-stream;q=0.1', 'application/json'],
    ['APPLICATION/JSON', 'application/json'],
    ['text/html, application/xhtml+xml, */*;q=0.8', 'text/event-stream'],
    ['application/*', 'application/json'],
    ['text/event-stream;q=0, */*', 'application/json'],
    ['image/png', 'text/event-stream'],
  ];
  for (const [accept, expected] of cases) {
    test(`${accept} takes ${expected}`, () => {
      assert.equal(preferredType(accept, ['text/event-stream', 'application/json']), expected);
    });
  }
});

describe('Host and Origin', () => {
  test('loopback names are allowed with any port and in any case', () => {
    for (const host of ['127.0.0.1', '127.0.0.1:8080', 'localhost:1', 'LocalHost:8080', '[::1]', '[::1]:8080'])
      assert.ok(hostAllowed(host, []), host);
  });

  test('nothing else is, unless it is listed', () => {
    for (const host of [
      undefined,
      '',
      'evil.example',
      'localhost.evil.example',
      '127.0.0.1.evil.example',
      '127.0.0.1@evil.example',
      '10.0.0.1:8080',
      'a b',
      'localhost:x',
    ]) {
      assert.ok(!hostAllowed(host, ['good.example']), String(host));
    }
  });

  test('a listed name is allowed with any port, a listed name with a port with that one only', () => {
    assert.ok(hostAllowed('Good.Example:99', ['good.example']));
    assert.ok(hostAllowed('good.example:99', ['GOOD.example:99']));
    assert.ok(!hostAllowed('good.example:98', ['good.example:99']));
    assert.ok(!hostAllowed('good.example', ['good.example:99']));
  });

  test('a host is a name and perhaps a port', () => {
    assert.deepEqual(parseHost('[FE80::1]:80'), { name: '[fe80::1]', port: '80' });
    assert.equal(parseHost('a:b:c'), null);
  });

  test('a page is of the same origin when name, port and the default port agree', () => {
    assert.ok(sameOrigin('http://localhost:8080', 'localhost:8080'));
    assert.ok(sameOrigin('http://LOCALHOST', 'localhost:80'));
    assert.ok(sameOrigin('https://good.example', 'good.example'));
    for (const [origin, host] of [
      ['http://localhost:8081', 'localhost:8080'],
      ['http://127.0.0.1:8080', 'localhost:8080'],
      ['null', 'localhost:8080'],
      ['file://localhost:8080', 'localhost:8080'],
      ['nonsense', 'localhost:8080'],
      ['http://localhost:8080', undefined],
    ] as const) {
      assert.ok(!sameOrigin(origin, host), `${origin} ${host}`);
    }
  });
});

describe('pages', () => {
  test('following the cursors gives every item once, in order, whatever the limit', () => {
    const names = fc.uniqueArray(fc.string({ minLength: 1 }), { maxLength: 40 });
    fc.assert(
      fc.property(names, fc.integer({ min: 1, max: 10 }), (all, limit) => {
        const seen: string[] = [];
        let cursor: string | null | undefined;
        do {
          const page = pageByName(
            'kind',
            all.map((name) => ({ name })),
            { limit, ...(cursor ? { cursor } : {}) },
          );
          assert.ok(page.items.length <= limit);
          seen.push(...page.items.map(({ name }) => name));
          cursor = page.next_cursor;
        } while (cursor !== null);
        assert.deepEqual(seen, [...all].sort());
      }),
    );
  });
});
