import { request } from 'node:http';
import { pipeline } from 'node:stream/promises';

/** An answer of the engine that is not a success, or a progress stream that ended in an error. */
export class EngineApiError extends Error {
  constructor(message, status) {
    super(message);
    this.name = 'EngineApiError';
    this.status = status;
  }
}

/** The few calls of Docker's Engine API that set-up needs, without the docker command: unversioned paths mean the engine's newest API. */
export class EngineApi {
  #options;

  constructor(options) {
    this.#options = options;
  }

  /** Resolves when the engine answers /_ping within `timeoutMs`; rejects with the reason otherwise. */
  async ping(timeoutMs = 2_000) {
    await text(await this.#call('GET', '/_ping', { timeoutMs }));
  }

  /** `{Version, ApiVersion, Arch, …}`. */
  async version() {
    return JSON.parse(await text(await this.#call('GET', '/version', { timeoutMs: 10_000 })));
  }

  /** `{id, labels}` of an image, or undefined when the engine has none of that name. */
  async image(name) {
    try {
      const answer = JSON.parse(await text(await this.#call('GET', `/images/${encodeName(name)}/json`, { timeoutMs: 30_000 })));
      return { id: answer.Id, labels: answer.Config?.Labels ?? {} };
    } catch (error) {
      if (error.status === 404) return undefined;
      throw error;
    }
  }

  /** Pulls an image; rejects when nothing comes for `idleMs`, after `totalMs`, or when `signal` aborts. */
  async pull(name, { idleMs, totalMs, signal, onStatus }) {
    const { repository, tag } = splitName(name);
    const query = new URLSearchParams({ fromImage: repository, tag });
    const response = await this.#call('POST', `/images/create?${query}`, { idleMs, timeoutMs: totalMs, signal });
    await followProgress(response, onStatus);
  }

  /** Makes an image from a stream of a root file system's tar. */
  async importImage(name, tar, { timeoutMs }) {
    const { repository, tag } = splitName(name);
    const query = new URLSearchParams({ fromSrc: '-', repo: repository, tag, changes: 'CMD ["bash"]' });
    await followProgress(await this.#call('POST', `/images/create?${query}`, { body: tar, timeoutMs }));
  }

  /** Builds and tags an image, or the one of the stage `target`, from a stream of its context's tar, with the classic builder that every engine has. */
  async build(tag, tar, { buildArgs, labels, target, timeoutMs, onStatus }) {
    const query = new URLSearchParams({
      t: tag,
      version: '1',
      rm: '1',
      forcerm: '1',
      ...(target ? { target } : {}),
      buildargs: JSON.stringify(buildArgs),
      labels: JSON.stringify(labels),
    });
    await followProgress(await this.#call('POST', `/build?${query}`, { body: tar, timeoutMs }), onStatus);
  }

  #call(method, path, { body, timeoutMs, idleMs, signal }) {
    return new Promise((resolve, reject) => {
      const limit = AbortSignal.timeout(timeoutMs);
      const call = request({
        ...this.#options,
        method,
        path,
        headers: { Host: 'docker', ...(body ? { 'Content-Type': 'application/x-tar' } : { 'Content-Length': 0 }) },
        signal: signal ? AbortSignal.any([limit, signal]) : limit,
        agent: false,
      });
      let idle = false;
      const explain = (error) => {
        if (limit.aborted) return new EngineApiError(`not finished within ${timeoutMs / 1000} s`);
        return idle ? new EngineApiError(`nothing came for ${idleMs / 1000} s`) : error;
      };
      if (idleMs) {
        call.setTimeout(idleMs, () => {
          idle = true;
          call.destroy();
        });
      }
      call.on('error', (error) => reject(explain(error)));
      call.on('response', (response) => {
        const answer = { chunks: chunksOf(response, explain) };
        if (response.statusCode < 300) return resolve(answer);
        text(answer).then((body) => reject(new EngineApiError(messageOf(body), response.statusCode)), reject);
      });
      // The engine may answer and close before it has read the whole body: then its answer counts, not the broken pipe.
      if (body) pipeline(body, call).catch((error) => setTimeout(() => reject(explain(error)), 1_000).unref());
      else call.end();
    });
  }
}

/** Splits `host:5000/a/b:tag` into repository and tag ("latest" when there is none). */
export function splitName(name) {
  const colon = name.lastIndexOf(':');
  return colon > name.lastIndexOf('/')
    ? { repository: name.slice(0, colon), tag: name.slice(colon + 1) }
    : { repository: name, tag: 'latest' };
}

/** What one parsed line of a pull, import or build stream says: a status text or undefined; throws on a line that reports an error. */
export function readProgress(record) {
  if (record.error || record.errorDetail) throw new EngineApiError(String(record.errorDetail?.message ?? record.error).trim());
  return (record.stream ?? record.status)?.trim() || undefined;
}

/** The parsed lines of a stream of JSON lines that comes in arbitrary pieces. */
export async function* jsonLines(chunks) {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of chunks) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop();
    for (const line of lines) if (line.trim()) yield JSON.parse(line);
  }
  if (rest.trim()) yield JSON.parse(rest);
}

async function followProgress(answer, onStatus) {
  // Errors come as lines of a stream that began with HTTP 200.
  for await (const record of jsonLines(answer.chunks)) {
    const status = readProgress(record);
    if (status) onStatus?.(status);
  }
}

async function* chunksOf(response, explain) {
  try {
    yield* response;
  } catch (error) {
    throw explain(error);
  }
}

async function text(answer) {
  const chunks = [];
  for await (const chunk of answer.chunks) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

function messageOf(answer) {
  try {
    return JSON.parse(answer).message ?? answer;
  } catch {
    return answer.trim();
  }
}

function encodeName(name) {
  return name.split('/').map(encodeURIComponent).join('/');
}
