import type { KindChaos } from '../../src/kind/adapter.ts';
import { ask, redisPort } from './redis.ts';
import { encodeCommand } from './resp.ts';
import { keys } from './service/keys.ts';

/** Adds ARGV[2] entries of the time now, whose names tell whose they are; the same names again change nothing. The key lives on as long as its entries can count. */
const forge = `local t = redis.call('TIME')
local now = t[1] * 1000 + t[2] / 1000
for i = 1, tonumber(ARGV[2]) do redis.call('ZADD', KEYS[1], 'NX', string.format('%.3f', now), ARGV[1] .. i) end
if redis.call('PTTL', KEYS[1]) < 0 then redis.call('PEXPIRE', KEYS[1], 86400000) end
return tonumber(ARGV[2])`;

/** Takes out every entry with the name's beginning. A key that is empty then is gone. */
const takeOut = `local gone = 0
for _, m in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  if string.sub(m, 1, #ARGV[1]) == ARGV[1] then gone = gone + redis.call('ZREM', KEYS[1], m) end
end
return gone`;

const count = `local ours = 0
local all = redis.call('ZRANGE', KEYS[1], 0, -1)
for _, m in ipairs(all) do if string.sub(m, 1, #ARGV[1]) == ARGV[1] then ours = ours + 1 end end
return {#all, ours}`;

const nameOf = (fault: string) => `subjectd:${fault}:`;

/** Entries forged in Redis behind the limiters' back: a counter says more than was ever asked. They slide out of the window as real ones do. */
export const counterDrift: KindChaos = {
  name: 'counter_drift',
  summary: 'Forges entries of a counter in Redis, behind the limiters’ back.',
  of: null,
  defaultTarget: { type: 'redis' },
  nodeTypes: ['redis'],
  paramsSchema: {
    type: 'object',
    additionalProperties: false,
    required: ['key'],
    properties: {
      key: { type: 'string', minLength: 1, maxLength: 256, description: 'The counter’s key, as in POST /check.' },
      extra: { type: 'integer', minimum: 1, maximum: 10_000, default: 10, description: 'Entries to add.' },
    },
  },
  plan: (fault, { key, extra }) => ({
    act: [step(['EVAL', forge, 1, keys.counter(String(key)), nameOf(fault), Number(extra)])],
    undo: [step(['EVAL', takeOut, 1, keys.counter(String(key)), nameOf(fault)])],
  }),
  measure: async (toolkit, fault, { key }, node, signal) => {
    const redis = toolkit.nodes.find((n) => n.name === node);
    if (redis === undefined) throw new Error(`there is no node ${node}`);
    const answer = await ask(toolkit, redis, [['EVAL', count, 1, keys.counter(String(key)), nameOf(fault)]], signal);
    if (!answer.ok) throw new Error(`Redis cannot be asked: ${answer.why}`);
    const [all, forged] = Array.isArray(answer.value[0]) ? answer.value[0] : [];
    return { count: Number(all), forged: Number(forged) };
  },
  judge: (before, after, { extra }) => {
    if (Number(after.forged) === 0) return 'not_observed';
    return Number(after.forged) === Number(extra) && Number(before.forged) === 0 ? 'confirmed' : 'inconclusive';
  },
  residue: ({ forged }) => (Number(forged) === 0 ? [] : [`${forged} forged entries are still in the counter`]),
};

/** Any integer is the answer of success; `-…` is Redis' error. */
function step(command: (string | number)[]): { op: 'node.tcp'; port: number; send: string; expect: string } {
  return { op: 'node.tcp', port: redisPort, send: encodeCommand(command), expect: '^:\\d+\\r\\n' };
}
