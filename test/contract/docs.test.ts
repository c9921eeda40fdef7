import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { appFor, scripted } from './scripted.ts';

describe('the pages', () => {
  test('/docs and all it needs come from here', async (t) => {
    const app = await appFor(t, scripted());
    const page = await app.inject('/docs');
    assert.equal(page.statusCode, 200);
    assert.match(String(page.headers['content-security-policy']), /default-src 'none'; script-src 'self'/);
    const parts = [...page.body.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, url]) => String(url));
    assert.ok(parts.length >= 5);
    for (const url of parts) {
      assert.match(url, /^\.?\//, 'nothing from elsewhere');
      assert.equal((await app.inject(new URL(url, 'http://localhost/docs/').pathname)).statusCode, 200, url);
    }
  });
});
