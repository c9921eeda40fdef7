import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EngineError } from '../../src/engine/port.ts';
import { startRegistry } from './engine-registry.ts';
import { detail, engine, image, is, label, labels, removeImage, run, signal, swept, uniqueName } from './engine-rig.ts';

swept();

describe('a network', () => {
  const subnet = '10.213.77.0/24';

  it('is made, listed, joined with aliases and an address, left and removed; each undoing twice', async () => {
    const name = uniqueName();
    const body = { Name: name, Labels: labels, IPAM: { Config: [{ Subnet: subnet }] } };
    const network = await engine.createNetwork(body, signal);
    assert.equal('CheckDuplicate' in body, false);
    const listed = (await engine.listNetworks(signal)).find((n) => n.id === network);
    assert.deepEqual(listed, { id: network, name, driver: 'bridge', labels, subnets: [subnet] });
    const id = await run();
    await engine.connectNetwork(network, id, { Aliases: ['node0'], IPAMConfig: { IPv4Address: '10.213.77.9' } }, signal);
    const joined = (await detail(id)).networks.find((n) => n.name === name);
    assert.deepEqual(joined, { name, id: network, ipv4: '10.213.77.9', ipv6: null, gateway: '10.213.77.1' });
    assert.equal((await engine.exec(id, ['getent', 'hosts', 'node0'], signal)).stdout.split(/\s+/)[0], '10.213.77.9');
    for (const ref of [network, name]) {
      const found = await engine.inspectNetwork(ref, signal);
      assert.deepEqual(
        found?.containers.map((c) => [c.id, c.ipv4]),
        [[id, '10.213.77.9']],
      );
    }
    assert.deepEqual((await engine.listContainers([label], signal)).find((c) => c.id === id)?.networks[name], network);
    await assert.rejects(engine.connectNetwork(network, id, {}, signal), is('conflict'));
    await assert.rejects(engine.removeNetwork(network, signal), is('conflict'));
    await engine.disconnectNetwork(network, id, false, signal);
    await engine.disconnectNetwork(network, id, false, signal);
    await engine.disconnectNetwork(network, 'eng-test-nosuch', true, signal);
    await engine.removeNetwork(network, signal);
    await engine.removeNetwork(network, signal);
    assert.equal(await engine.inspectNetwork(network, signal), null);
  });

  it('of a taken name or an overlapping subnet is a conflict', async () => {
    const name = uniqueName();
    const network = await engine.createNetwork({ Name: name, Labels: labels, IPAM: { Config: [{ Subnet: subnet }] } }, signal);
    await assert.rejects(engine.createNetwork({ Name: name, Labels: labels }, signal), is('conflict'));
    const overlapping = { Name: uniqueName(), Labels: labels, IPAM: { Config: [{ Subnet: subnet }] } };
    await assert.rejects(engine.createNetwork(overlapping, signal), is('conflict'));
    await engine.removeNetwork(network, signal);
  });

  it('that a created container is given is there at its start', async () => {
    const name = uniqueName();
    const network = await engine.createNetwork({ Name: name, Labels: labels, IPAM: { Config: [{ Subnet: subnet }] } }, signal);
    const id = await run({
      HostConfig: { NetworkMode: name },
      NetworkingConfig: { EndpointsConfig: { [name]: { Aliases: ['pinned'], IPAMConfig: { IPv4Address: '10.213.77.40' } } } },
    });
    assert.equal((await detail(id)).networks[0]?.ipv4, '10.213.77.40');
    await engine.removeContainer(id, signal);
    await engine.removeNetwork(network, signal);
  });
});

describe('a volume', () => {
  it('is made, listed by labels, kept while it is used, and removed; twice is success', async () => {
    const name = uniqueName();
    const body = { Name: name, Labels: { ...labels, 'io.subjectd.test.own': name } };
    await engine.createVolume(body, signal);
    await engine.createVolume(body, signal);
    assert.deepEqual(await engine.listVolumes([label, `io.subjectd.test.own=${name}`], signal), [{ name, labels: body.Labels }]);
    assert.deepEqual(await engine.listVolumes([`io.subjectd.test.own=${name}x`], signal), []);
    const id = await run({ HostConfig: { Mounts: [{ Type: 'volume', Source: name, Target: '/data' }] } });
    await assert.rejects(engine.removeVolume(name, signal), is('conflict'));
    await engine.removeContainer(id, signal);
    await engine.removeVolume(name, signal);
    await engine.removeVolume(name, signal);
  });
});

describe('an image', () => {
  it('is inspected by name and id, and null when it is not there', async () => {
    const found = await engine.inspectImage(image, signal);
    assert.ok(found);
    assert.ok(found.tags.includes(image));
    assert.equal((await engine.inspectImage(found.id, signal))?.id, found.id);
    for (const odd of ['eng-test/nosuch:1', '', '../version', 'a//b', 'UPPER CASE'])
      assert.equal(await engine.inspectImage(odd, signal), null);
  });

  it('is pulled with progress, and a pull that fails after it began throws', async () => {
    const registry = await startRegistry();
    try {
      const progress: string[] = [];
      await engine.pullImage(`${registry.host}/x:1`, (line) => progress.push(line), signal);
      assert.ok(
        progress.some((line) => /Pull complete|Already exists/.test(line)),
        progress.join('\n'),
      );
      const found = await engine.inspectImage(`${registry.host}/x:1`, signal);
      assert.deepEqual([found?.volumes, found?.labels], [['/data'], labels]);
      const begun: string[] = [];
      await assert.rejects(
        engine.pullImage(`${registry.host}/x:broken`, (line) => begun.push(line), signal),
        (error) => error instanceof EngineError && error.status === null,
      );
      assert.notDeepEqual(begun, []);
      await assert.rejects(
        engine.pullImage(`${registry.host}/x:nosuch`, () => {}, signal),
        is('not_found'),
      );
    } finally {
      await removeImage(`${registry.host}/x:1`);
      await registry.close();
    }
    await assert.rejects(
      engine.pullImage(`${registry.host}/x:2`, () => {}, signal),
      is('refused'),
    );
  });
});
