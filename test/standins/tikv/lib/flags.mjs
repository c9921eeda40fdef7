import { parseArgs } from 'node:util';

const names = [
  ...['addr', 'advertise-addr', 'status-addr', 'advertise-status-addr', 'data-dir', 'config', 'log-file', 'log-level'],
  ...['pd', 'pd-endpoints', 'capacity', 'labels', 'cacert', 'cert', 'key'],
];

/** tikv-server's flags, as `--addr=x` or `--addr x`. Throws for one that the real server does not have, or without PD. */
export function flags(argv) {
  const { values } = parseArgs({
    args: argv,
    options: {
      ...Object.fromEntries(names.map((name) => [name, { type: 'string' }])),
      version: { type: 'boolean', short: 'V' },
      'config-check': { type: 'boolean' },
    },
  });
  const addr = values.addr ?? '127.0.0.1:20160';
  const statusAddr = values['status-addr'] ?? '127.0.0.1:20180';
  return {
    addr,
    advertiseAddr: values['advertise-addr'] ?? addr,
    statusAddr,
    advertiseStatusAddr: values['advertise-status-addr'] ?? statusAddr,
    endpoints: (values['pd-endpoints'] ?? values.pd ?? '127.0.0.1:2379').split(','),
    dataDir: values['data-dir'] ?? './',
    config: values.config ?? null,
    version: values.version ?? false,
  };
}
