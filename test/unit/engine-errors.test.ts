import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fromFailure, fromReply, messageOf } from '../../src/engine/errors.ts';
import { EngineError, type EngineErrorReason } from '../../src/engine/port.ts';

const at = { op: 'startContainer', target: 'tikv-1' };

/** What engines of several ages were seen, or are written, to answer. */
const replies: [number, string, EngineErrorReason][] = [
  [404, 'No such container: x', 'not_found'],
  [404, 'No such image: nosuch:latest', 'not_found'],
  [404, 'network abc not found', 'not_found'],
  [404, 'OCI runtime create failed: exec: "nosuch": executable file not found in $PATH: unknown', 'refused'],
  [400, 'failed to create task for container: failed to create shim task: OCI runtime create failed', 'refused'],
  [409, 'Conflict. The container name "/x" is already in use by container "abc". You have to remove (or rename) it.', 'name_taken'],
  [
    500,
    'driver failed programming external connectivity on endpoint x: Bind for 127.0.0.1:80 failed: port is already allocated',
    'port_taken',
  ],
  [500, 'Error starting userland proxy: listen tcp4 127.0.0.1:80: bind: address already in use', 'port_taken'],
  [409, 'Cannot kill container: x: Container abc is not running', 'conflict'],
  [500, 'Cannot kill container x: Container abc is not running', 'conflict'],
  [500, 'Container abc is not paused', 'conflict'],
  [409, 'Container abc is paused, unpause the container before exec', 'conflict'],
  [500, 'cannot start a paused container, try unpause instead', 'conflict'],
  [403, 'error while removing network: network x id y has active endpoints', 'conflict'],
  [403, 'endpoint with name x already exists in network y', 'conflict'],
  [403, 'Pool overlaps with other one on this address space', 'conflict'],
  [400, 'invalid pool request: Pool overlaps with other one on this address space', 'conflict'],
  [409, 'network with name x already exists', 'conflict'],
  [409, 'remove x: volume is in use - [abc]', 'conflict'],
  [500, 'manifest unknown', 'not_found'],
  [404, 'pull access denied for x, repository does not exist or may require docker login', 'not_found'],
  [409, 'anything at all', 'conflict'],
  [500, 'container rootfs is marked read-only', 'refused'],
  [400, 'invalid mount config for type "bind": bind source path does not exist: /nosuch', 'refused'],
  [500, 'Get "https://registry.example/v2/": dial tcp: connect: connection refused', 'refused'],
];

describe('an answer of the engine', () => {
  for (const [status, message, reason] of replies) {
    it(`${status} "${message.slice(0, 60)}" is ${reason}`, () => {
      const error = fromReply(at, status, JSON.stringify({ message }));
      assert.deepEqual([error.reason, error.status, error.message, error.op, error.target], [reason, status, message, at.op, at.target]);
    });
  }

  it('without JSON shows its text, and without text its status', () => {
    assert.equal(messageOf('<h1>Bad gateway</h1>'), '<h1>Bad gateway</h1>');
    assert.equal(fromReply(at, 502, '').message, 'the engine answered 502');
  });
});

describe('a call without an answer', () => {
  const coded = (code: string, message = code) => Object.assign(new Error(message), { code });
  const lost = [
    ...['ECONNREFUSED', 'ENOENT', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EACCES', 'EAI_AGAIN', 'HPE_INVALID_CONSTANT'].map((code) =>
      coded(code),
    ),
    ...['ERR_STREAM_PREMATURE_CLOSE', 'UND_ERR_SOCKET', 'UND_ERR_CONNECT_TIMEOUT'].map((code) => coded(code)),
    new Error('socket hang up'),
    new Error('aborted'),
    new Error('Premature close'),
    new AggregateError([coded('ECONNREFUSED')]),
  ];
  for (const error of lost) {
    it(`means unreachable: ${error.message || error.name}`, () => {
      const mapped = fromFailure(at, error);
      assert.deepEqual([mapped.reason, mapped.status, mapped.cause], ['unreachable', null, error]);
    });
  }

  it('keeps an EngineError as it is', () => {
    const error = new EngineError('conflict', 'x', { status: 409, ...at });
    assert.equal(fromFailure(at, error), error);
  });

  it('is refused when the answer cannot be read', () => {
    assert.equal(fromFailure(at, new SyntaxError('Unexpected token')).reason, 'refused');
  });
});
