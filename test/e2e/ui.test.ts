import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { type Browser, chromium, type Page } from 'playwright-core';
import { leftovers, Service, testEnv } from './service.ts';

const executablePath =
  process.env.CHROMIUM ??
  ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((p) => existsSync(p)) ??
  'chromium';

describe('in a real browser', () => {
  let service: Service;
  let browser: Browser;
  let page: Page;
  const failures: string[] = [];
  before(async () => {
    service = await Service.start();
    browser = await chromium.launch({
      executablePath,
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    });
    page = await browser.newPage({ viewport: { width: 1280, height: 1600 } });
    page.on('pageerror', (error) => failures.push(String(error)));
    page.on('requestfailed', (request) => failures.push(`${request.url()} ${request.failure()?.errorText}`));
  });
  after(async () => {
    await browser.close();
    await service.close();
    assert.deepEqual(leftovers(`${testEnv.SUBJECTD_PROJECT_PREFIX}etcd`), []);
  });

  test('the first page leads to the documentation', async () => {
    await page.goto(service.url);
    await page
      .getByRole('link', { name: /docs|documentation/i })
      .first()
      .click();
    await page.waitForSelector('.swagger-ui .opblock');
    assert.ok((await page.locator('.opblock').count()) > 15);
  });

  test('Swagger UI executes a reset and shows its answer', async () => {
    await page.goto(`${service.url}/docs`);
    const block = page.locator('.opblock', { has: page.locator('[data-path="/v1/subjects/{subject}/reset"]') });
    await block.locator('.opblock-summary-control').click();
    const subject = block.locator('tr[data-param-name="subject"] input, tr[data-param-name="subject"] select');
    await subject.first().fill('etcd');
    await block.getByRole('button', { name: 'Execute' }).click();
    const answer = block
      .locator('.live-responses-table .response .highlight-code pre, .live-responses-table .response pre.microlight')
      .first();
    await answer.waitFor({ timeout: 120_000 });
    assert.equal(
      await block
        .locator('.live-responses-table .response-col_status')
        .nth(1)
        .textContent()
        .then((t) => t?.trim().slice(0, 3)),
      '200',
    );
    const body = JSON.parse((await answer.textContent()) ?? '') as { subject: string; healthy: boolean; generation: number };
    assert.deepEqual([body.subject, body.healthy, body.generation], ['etcd', true, 1]);
    if (process.env.SCREENSHOT !== undefined) await page.screenshot({ path: process.env.SCREENSHOT });
  });

  test('nothing was fetched from elsewhere and no script failed', () => {
    assert.deepEqual(failures, []);
  });
});
