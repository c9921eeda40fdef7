import { Cluster } from './cluster.mjs';
import { Election } from './election.mjs';
import { joined, startEtcd } from './etcd.mjs';
import { flags } from './flags.mjs';
import { serve } from './server.mjs';

const options = parse();
if (options.version) {
  console.log('Release Version: v8.5.5 (stand-in)');
  process.exit(0);
}
const self = { name: options.name, clientUrls: options.advertiseClientUrls.split(',') };
const cluster = new Cluster();
const election = new Election(self, {
  elected: () => cluster.load(),
  tick: () => cluster.tick().catch((error) => console.error(`tick: ${error.message}`)),
});
const pd = { self, cluster, election, closing: false };
const { hostname, port } = new URL(options.clientUrls.split(',')[0]);
const started = joined();
serve(pd, Number(port), hostname, started);
const child = startEtcd(options);
for (const signal of ['SIGTERM', 'SIGINT']) {
  process.on(signal, () => {
    pd.closing = true;
    child.removeAllListeners('exit');
    child.on('exit', () => process.exit(0));
    child.kill('SIGTERM');
  });
}
await started;
await election.run();

function parse() {
  try {
    return flags(process.argv.slice(2));
  } catch (error) {
    console.error(`parse cmd flags error: ${error.message}`);
    process.exit(1);
  }
}
