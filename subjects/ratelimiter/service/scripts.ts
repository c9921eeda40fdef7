import { keys } from './keys.ts';

/**
 * The Lua scripts. Redis runs each of them alone, so each is atomic; time is Redis' own, so the nodes' clocks do not matter. Numbers leave as
 * text where they have decimals, because Lua numbers are cut to integers in replies.
 */

const now = `local t = redis.call('TIME')
local now = t[1] * 1000 + t[2] / 1000
`;

/**
 * One check. KEYS: counter, window, limits, blocks, block counts. ARGV: key, unique member, limit or '', window or '', default limit, default window,
 * most entries a counter keeps, most keys in blocks. Answers {allowed 0/1, limit, checks in the window, ms until a slot is free}.
 *
 * An entry stops counting `window` ms after its time. A counter keeps its entries for the longest window asked of it since it was last empty, so
 * that a short window does not throw away what a longer one has to count; both keys outlive that by a second, since expiry counts in whole
 * milliseconds of a clock read earlier. A refused check leaves no entry.
 */
export const checkScript = `${now}
local key = ARGV[1]
local limit, window = tonumber(ARGV[3]), tonumber(ARGV[4])
if not limit or not window then
  local stored = redis.call('HGET', KEYS[3], key)
  local l, w = ARGV[5], ARGV[6]
  if stored then
    l, w = string.match(stored, '^(%d+):(%d+)$')
    if not l then return redis.error_reply('STOREDLIMIT not limit:window_ms: ' .. stored) end
  end
  limit, window = limit or math.min(tonumber(l), tonumber(ARGV[7])), window or tonumber(w)
end

local kept = tonumber(redis.call('GET', KEYS[2]) or '') or 0
local longer = window > kept
if longer then kept = window end
local since = string.format('(%.3f', now - window)
local count = redis.call('ZCOUNT', KEYS[1], since, '+inf')
local allowed = count < limit
if allowed then
  redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.3f', now - kept))
  redis.call('ZADD', KEYS[1], string.format('%.3f', now), ARGV[2])
  redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -1 - ARGV[7])
  count = count + 1
else
  redis.call('ZADD', KEYS[4], string.format('%.0f', now), key)
  redis.call('HINCRBY', KEYS[5], key, 1)
  local over = redis.call('ZCARD', KEYS[4]) - ARGV[8]
  if over > 0 then
    local gone = redis.call('ZRANGE', KEYS[4], 0, over - 1)
    redis.call('ZREM', KEYS[4], unpack(gone))
    redis.call('HDEL', KEYS[5], unpack(gone))
  end
end
if allowed or longer then
  redis.call('SET', KEYS[2], kept, 'PX', kept + 1000)
  redis.call('PEXPIRE', KEYS[1], kept + 1000)
end

local index = math.max(count - limit, 0)
local freeing = redis.call('ZRANGEBYSCORE', KEYS[1], since, '+inf', 'WITHSCORES', 'LIMIT', index, 1)
local reset = window
if freeing[2] then reset = math.ceil(freeing[2] + window - now) end
return {allowed and 1 or 0, limit, count, reset}
`;

/**
 * Counts of some counters. ARGV: default window, then keys. KEYS: limits. Answers, for each key, {checks in its window, window in ms}; the window
 * is the longest one asked of the counter, else the stored one, else the default.
 */
export const countsScript = `${now}
local answer = {}
for i = 2, #ARGV do
  local stored = redis.call('HGET', KEYS[1], ARGV[i])
  local window = tonumber(redis.call('GET', '${keys.windowPrefix}' .. ARGV[i]) or '')
    or tonumber(stored and string.match(stored, '^%d+:(%d+)$') or '') or tonumber(ARGV[1])
  answer[i - 1] = {redis.call('ZCOUNT', '${keys.counterPrefix}' .. ARGV[i], string.format('(%.3f', now - window), '+inf'), window}
end
return answer
`;

/** Stores a limit unless there are too many. KEYS: limits. ARGV: key, `limit:window_ms`, most limits. Answers 1, or 0 when there are too many. */
export const putLimitScript = `
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 and redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[3]) then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return 1
`;

/** Empties a counter. KEYS: counter, window. Answers how many entries it had. */
export const resetScript = `
local removed = redis.call('ZCARD', KEYS[1])
redis.call('DEL', KEYS[1], KEYS[2])
return removed
`;

/** Refused checks, the latest first. KEYS: blocks, block counts. ARGV: most keys. Answers key, last time in ms, count, key, … */
export const blocksScript = `
local last = redis.call('ZREVRANGE', KEYS[1], 0, ARGV[1] - 1, 'WITHSCORES')
local answer = {}
for i = 1, #last, 2 do
  answer[#answer + 1] = last[i]
  answer[#answer + 1] = last[i + 1]
  answer[#answer + 1] = redis.call('HGET', KEYS[2], last[i]) or '0'
end
return answer
`;

/** One heartbeat. KEYS: nodes, the node's hash. ARGV: id, address, started_at, instance, time to live in ms. Forgets nodes that ceased to beat. */
export const beatScript = `${now}
redis.call('HSET', KEYS[2], 'id', ARGV[1], 'address', ARGV[2], 'started_at', ARGV[3], 'instance', ARGV[4], 'last_seen', string.format('%.0f', now))
redis.call('PEXPIRE', KEYS[2], ARGV[5])
redis.call('SADD', KEYS[1], ARGV[1])
for _, id in ipairs(redis.call('SMEMBERS', KEYS[1])) do
  if redis.call('EXISTS', '${keys.nodePrefix}' .. id) == 0 then redis.call('SREM', KEYS[1], id) end
end
return 1
`;

/** Takes a node off the list if it still is this start of it. KEYS: nodes, the node's hash. ARGV: id, instance. */
export const leaveScript = `
if redis.call('HGET', KEYS[2], 'instance') ~= ARGV[2] then return 0 end
redis.call('DEL', KEYS[2])
redis.call('SREM', KEYS[1], ARGV[1])
return 1
`;

/** Nodes that beat. KEYS: nodes. Answers {id, address, started_at, instance, last_seen} each; times in ms. */
export const nodesScript = `
local answer = {}
for _, id in ipairs(redis.call('SMEMBERS', KEYS[1])) do
  local node = redis.call('HMGET', '${keys.nodePrefix}' .. id, 'id', 'address', 'started_at', 'instance', 'last_seen')
  if node[1] then answer[#answer + 1] = node end
end
return answer
`;
