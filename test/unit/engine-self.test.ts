import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { toContainerDetail } from '../../src/engine/map.ts';
import type { ContainerDetail } from '../../src/engine/port.ts';
import { findSelf, hostPath, idsInCgroup, idsInMountinfo, ownMounts, type SelfSources } from '../../src/engine/self.ts';

const own = 'a1'.repeat(32);
const other = 'b2'.repeat(32);
const signal = new AbortController().signal;
const nowhere = { inContainer: false, containerId: null, hostNetwork: false };

const mountsOf = (id: string) => `731 712 0:70 / / rw,relatime master:1 - overlay overlay rw,lowerdir=/x
735 731 254:1 /var/lib/docker/containers/${id}/resolv.conf /etc/resolv.conf rw,relatime - ext4 /dev/vda1 rw
736 731 254:1 /var/lib/docker/containers/${id}/hostname /etc/hostname rw,relatime - ext4 /dev/vda1 rw
737 731 254:1 /var/lib/docker/containers/${id}/hosts /etc/hosts rw,relatime - ext4 /dev/vda1 rw
`;
const hostMounts = `28 1 254:1 / / rw - ext4 /dev/vda1 rw
90 28 0:60 / /var/lib/docker/containers/${own}/mounts/shm rw - tmpfs shm rw
91 28 0:61 / /var/lib/docker/overlay2/${own}/merged rw - overlay overlay rw
`;

function sources(change: { mountinfo?: string; cgroup?: string; hostname?: string; addresses?: string[] }): SelfSources {
  return {
    read: async (path) => (path.endsWith('mountinfo') ? (change.mountinfo ?? '') : (change.cgroup ?? '')),
    hostname: () => change.hostname ?? 'machine',
    addresses: () => change.addresses ?? [],
  };
}

/** An engine that has these containers. */
function engineWith(...details: ContainerDetail[]) {
  return {
    inspectContainer: async (ref: string) =>
      details.find((d) => d.id === ref || (ref.length >= 12 && d.id.startsWith(ref)) || d.name === ref) ?? null,
  };
}

function container(id: string, change: Partial<ContainerDetail> = {}): ContainerDetail {
  const base = toContainerDetail({
    Id: id,
    Name: '/subjectd',
    Image: 'i',
    State: { Status: 'running', Running: true, Pid: 9 },
    Config: {},
    HostConfig: { NetworkMode: 'bridge' },
    NetworkSettings: { Networks: { bridge: { NetworkID: 'n', IPAddress: '172.17.0.5' } } },
  });
  return { ...base, ...change };
}

describe('findSelf', () => {
  it('finds the container by the files that the engine mounts', async () => {
    assert.deepEqual(await findSelf(engineWith(container(own)), signal, sources({ mountinfo: mountsOf(own) })), {
      inContainer: true,
      containerId: own,
      hostNetwork: false,
    });
  });

  it('finds it by the control group where the files are mounted over', async () => {
    for (const cgroup of [
      `12:pids:/docker/${own}\n0::/docker/${own}`,
      `0::/system.slice/docker-${own}.scope`,
      `1:cpu:/docker/${other}/docker/${own}`,
    ]) {
      assert.equal((await findSelf(engineWith(container(own)), signal, sources({ cgroup }))).containerId, own);
    }
  });

  it('does not take the host for one of its containers', async () => {
    assert.deepEqual(idsInMountinfo(hostMounts), []);
    assert.deepEqual(
      await findSelf(engineWith(container(own)), signal, sources({ mountinfo: hostMounts, cgroup: '0::/init.scope' })),
      nowhere,
    );
  });

  it('says no when the container is another engine’s', async () => {
    assert.deepEqual(
      await findSelf(engineWith(container(other)), signal, sources({ mountinfo: mountsOf(own), hostname: own.slice(0, 12) })),
      nowhere,
    );
  });

  it('says no when that container does not run', async () => {
    const stopped = container(own, { state: 'exited', pid: 0 });
    assert.deepEqual(await findSelf(engineWith(stopped), signal, sources({ mountinfo: mountsOf(own) })), nowhere);
  });

  it('believes a host name only with the container’s address', async () => {
    const hostname = own.slice(0, 12);
    const engine = engineWith(container(own));
    assert.deepEqual(await findSelf(engine, signal, sources({ hostname, addresses: ['192.168.1.2'] })), nowhere);
    assert.equal((await findSelf(engine, signal, sources({ hostname, addresses: ['172.17.0.5'] }))).containerId, own);
    const named = engineWith(container(own, { name: 'redis' }));
    assert.deepEqual(await findSelf(named, signal, sources({ hostname: 'redis', addresses: ['172.17.0.5'] })), nowhere);
  });

  it('tells of the host’s network', async () => {
    const host = container(own, { networkMode: 'host', networks: [] });
    assert.equal((await findSelf(engineWith(host), signal, sources({ mountinfo: mountsOf(own) }))).hostNetwork, true);
  });

  it('answers the owner of a shared network namespace, and the mounts of this container', async () => {
    const mine = [{ type: 'bind', name: null, source: '/srv/kinds', destination: '/kinds' }];
    const sharing = container(own, { networkMode: `container:${other}`, networks: [], mounts: mine });
    const owner = container(other, { networkMode: 'host', mounts: [{ ...mine[0], source: '/theirs' } as (typeof mine)[0]] });
    const self = await findSelf(engineWith(sharing, owner), signal, sources({ cgroup: `0::/docker/${own}` }));
    assert.deepEqual(self, { inContainer: true, containerId: other, hostNetwork: true });
    assert.deepEqual(await ownMounts(engineWith(sharing, owner), signal, sources({ cgroup: `0::/docker/${own}` })), mine);
    assert.equal(await ownMounts(engineWith(sharing, owner), signal, sources({})), null);
  });

  it('reads no id out of other groups', () => {
    assert.deepEqual(idsInCgroup('0::/user.slice/user-0.slice/session-1.scope\n1:cpu:/docker/short\n'), []);
  });
});

describe('hostPath', () => {
  const at = (type: string, source: string, destination: string) => ({ type, name: null, source, destination });
  const mounts = [
    at('bind', '/srv/kinds', '/kinds'),
    at('bind', '/', '/host'),
    at('bind', '/srv/other', '/kinds/other/'),
    at('volume', '/var/lib/docker/volumes/v/_data', '/data'),
    at('volume', '', '/plugin'),
    at('tmpfs', '', '/kinds/tmp'),
  ];
  const cases: [string, string | null][] = [
    ['/kinds', '/srv/kinds'],
    ['/kinds/a/b.conf', '/srv/kinds/a/b.conf'],
    ['/kinds/other', '/srv/other'],
    ['/kinds/other/x', '/srv/other/x'],
    ['/kinds/otherwise/x', '/srv/kinds/otherwise/x'],
    ['/host/etc/hosts', '/etc/hosts'],
    ['/host', '/'],
    ['/data/ledger', '/var/lib/docker/volumes/v/_data/ledger'],
    ['/kinds/tmp/x', null],
    ['/plugin/x', null],
    ['/kindsx/a', null],
    ['/app/subjects/a.conf', null],
    ['/', null],
  ];
  for (const [path, host] of cases) it(`${path} is ${host ?? 'not on the host'}`, () => assert.equal(hostPath(mounts, path), host));

  it('knows no path without mounts', () => assert.equal(hostPath([], '/kinds'), null));
});
