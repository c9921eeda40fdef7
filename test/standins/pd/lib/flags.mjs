import { parseArgs } from 'node:util';

const names = [
  ...['name', 'client-urls', 'advertise-client-urls', 'peer-urls', 'advertise-peer-urls', 'initial-cluster', 'data-dir'],
  ...['config', 'join', 'log-file', 'log-level', 'metrics-addr', 'cacert', 'cert', 'key'],
];

/** pd-server's flags, as `--name=x` or `--name x`. Throws for one that the real server does not have. */
export function flags(argv) {
  const { values } = parseArgs({
    args: argv,
    options: {
      ...Object.fromEntries(names.map((name) => [name, { type: 'string' }])),
      version: { type: 'boolean', short: 'V' },
      'force-new-cluster': { type: 'boolean' },
    },
  });
  const name = values.name ?? 'pd';
  const clientUrls = values['client-urls'] ?? 'http://127.0.0.1:2379';
  const peerUrls = values['peer-urls'] ?? 'http://127.0.0.1:2380';
  const advertisePeerUrls = values['advertise-peer-urls'] ?? peerUrls;
  return {
    name,
    clientUrls,
    peerUrls,
    advertiseClientUrls: values['advertise-client-urls'] ?? clientUrls,
    advertisePeerUrls,
    initialCluster: values['initial-cluster'] ?? `${name}=${advertisePeerUrls}`,
    dataDir: values['data-dir'] || `default.${name}`,
    version: values.version ?? false,
  };
}
