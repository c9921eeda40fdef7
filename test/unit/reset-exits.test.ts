import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Engine, EngineEvent } from '../../src/engine/port.ts';
import { Exits } from '../../src/reset/ready.ts';

test('the exit of a service is heard at once, whatever the service is called', { timeout: 5000 }, async () => {
  for (const service of ['db', 'error', '*', 'newListener']) {
    const controller = new AbortController();
    let die = () => {};
    const dying = new Promise<void>((resolve) => {
      die = resolve;
    });
    const events = async function* (filter: { onOpen?: () => void }): AsyncGenerator<EngineEvent> {
      filter.onOpen?.();
      await dying;
      yield { type: 'container', action: 'die', attributes: { 'com.docker.compose.service': service } } as unknown as EngineEvent;
      await new Promise((resolve) => controller.signal.addEventListener('abort', resolve));
    };
    const exits = await Exits.watch({ events } as unknown as Engine, 'own_1', 'p', controller.signal);
    const heard = exits.pause(service, 60_000, controller.signal);
    die();
    assert.equal(await heard, undefined);
    controller.abort(new Error('over'));
    await exits.ended();
  }
});
