import { get } from 'node:http';
import * as etcd from './etcd.mjs';
import { empty, json } from './reply.mjs';

const startedAt = Math.floor(Date.now() / 1000);
const build = { version: 'v8.5.5', git_hash: 'standin' };

/** What every PD answers by itself, leader or not: `[method, pattern, handler]`. */
export const localRoutes = [
  ['GET', /^\/pd\/api\/v1\/ping$/, () => empty(200)],
  ['GET', /^\/health$/, etcdHealth],
  ['GET', /^\/pd\/api\/v1\/health$/, memberHealth],
  ['GET', /^\/pd\/api\/v1\/status$/, () => json({ build_ts: '', ...build, start_timestamp: startedAt })],
  ['GET', /^\/pd\/api\/v1\/version$/, () => json({ version: build.version, build_time: '', hash: build.git_hash, branch: 'standin' })],
  ['GET', /^\/pd\/api\/v2\/ready$/, ready],
  ['POST', /^\/pd\/api\/v1\/admin\/log$/, () => json('The log level is updated.')],
  ['GET', /^\/metrics$/, metrics],
];

/** etcd's own answer, which is the quorum test. */
async function etcdHealth() {
  const { status, text } = await etcd.health();
  return { status, type: 'application/json', text };
}

/** Pings the members one after the other, three seconds each, and is 200 whatever comes of it. */
async function memberHealth() {
  const entries = [];
  for (const member of await etcd.members()) {
    let health = false;
    for (const url of member.clientUrls) health ||= await answers(`${url}/pd/api/v1/ping`);
    entries.push({ name: member.name, member_id: member.id, client_urls: member.clientUrls, health });
  }
  return json(entries);
}

function answers(url) {
  return new Promise((resolve) => {
    const call = get(url, { agent: false, timeout: 3000 }, (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200);
    });
    call.on('timeout', () => call.destroy());
    call.on('error', () => resolve(false));
    call.on('close', () => resolve(false));
  });
}

async function ready(_pd, _match, query) {
  const loaded = (await etcd.get('/standin/bootstrapped', { local: true })) !== null;
  return query.has('verbose') ? json({ region_loaded: loaded }, loaded ? 200 : 500) : empty(loaded ? 200 : 500);
}

function metrics({ election }) {
  return {
    status: 200,
    type: 'text/plain; version=0.0.4',
    text: `# TYPE standin_pd_leader gauge\nstandin_pd_leader ${Number(election.serving)}\n`,
  };
}
