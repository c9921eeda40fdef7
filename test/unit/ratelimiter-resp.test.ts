import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { readReplies } from '../../subjects/ratelimiter/redis.ts';
import { decodeReplies, encodeCommand, RespError, type RespValue } from '../../subjects/ratelimiter/resp.ts';

describe('the Redis wire format', () => {
  const value: fc.Arbitrary<{ wire: string; value: RespValue }> = fc.letrec((tie) => ({
    node: fc.oneof(
      { maxDepth: 3 },
      fc.string({ unit: 'binary' }).map((s) => ({ wire: `$${Buffer.byteLength(s)}\r\n${s}\r\n`, value: s })),
      fc.integer().map((n) => ({ wire: `:${n}\r\n`, value: n })),
      fc.constantFrom('OK', 'PONG', '').map((s) => ({ wire: `+${s}\r\n`, value: s })),
      fc.constant({ wire: '-ERR no\r\n', value: new RespError('ERR no') }),
      fc.constantFrom({ wire: '$-1\r\n', value: null }, { wire: '*-1\r\n', value: null }),
      fc.array(tie('node'), { maxLength: 4 }).map((items) => {
        const list = items as { wire: string; value: RespValue }[];
        return { wire: `*${list.length}\r\n${list.map((i) => i.wire).join('')}`, value: list.map((i) => i.value) };
      }),
    ),
  })).node as fc.Arbitrary<{ wire: string; value: RespValue }>;

  test('whole replies are read as they were written, and a strict prefix is never taken for whole', () => {
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 4 }), fc.nat(), (values, cut) => {
        const wire = values.map((v) => v.wire).join('');
        assert.deepEqual(
          decodeReplies(wire, values.length),
          values.map((v) => v.value),
        );
        const prefix = [...wire].slice(0, cut % [...wire].length).join('');
        assert.equal(decodeReplies(prefix, values.length), null);
      }),
    );
  });

  test('a command is sent with lengths in bytes', () => {
    assert.equal(encodeCommand(['SET', 'ä', 5]), '*3\r\n$3\r\nSET\r\n$2\r\nä\r\n$1\r\n5\r\n');
  });

  test('what is not Redis, an error reply and a cut reply are each of no use, with the reason', () => {
    assert.deepEqual(readReplies('HTTP/1.1 400 Bad Request\r\n', 1), { ok: false, why: 'not a Redis reply: "HTTP/1.1 400 Bad Request"' });
    assert.deepEqual(readReplies('+OK\r\n-LOADING Redis is loading\r\n', 2), { ok: false, why: 'LOADING Redis is loading' });
    assert.deepEqual(readReplies('$5\r\nab', 1), { ok: false, why: 'an incomplete reply' });
    assert.deepEqual(readReplies('', 1), { ok: false, why: 'connection closed' });
    assert.deepEqual(readReplies('$x\r\n', 1), { ok: false, why: 'not a number in a Redis reply: "x"' });
  });
});
