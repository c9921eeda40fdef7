import type { ApiImage } from './api.ts';
import type { Client } from './client.ts';
import { reasonOf } from './errors.ts';
import { linesOf } from './lines.ts';
import { toImageDetail } from './map.ts';
import { orNull } from './missing.ts';
import { imagePath } from './paths.ts';
import { type Engine, EngineError } from './port.ts';

/** One line of a pull's progress; `error` is how a pull fails once it has begun. */
interface PullLine {
  id?: string;
  status?: string;
  progress?: string;
  error?: string;
  errorDetail?: { message?: string };
}

export function imageMethods(client: Client): Pick<Engine, 'inspectImage' | 'pullImage'> {
  return {
    inspectImage(ref, signal) {
      const at = { op: 'inspectImage', target: ref };
      return orNull(async () =>
        toImageDetail(await client.json<ApiImage>({ ...at, method: 'GET', path: `${imagePath(at)}/json`, signal })),
      );
    },

    async pullImage(ref, onProgress, signal) {
      const at = { op: 'pullImage', target: ref };
      imagePath(at);
      const query = { fromImage: withTag(ref) };
      await client.request({ ...at, method: 'POST', path: '/images/create', query, signal }, async ({ body }) => {
        for await (const text of linesOf(body)) {
          if (text.trim() === '') continue;
          const line = JSON.parse(text) as PullLine;
          const failure = line.errorDetail?.message ?? line.error;
          if (failure !== undefined) throw new EngineError(reasonOf(null, failure), failure, { status: null, ...at });
          onProgress([line.id, line.status, line.progress].filter(Boolean).join(' '));
        }
      });
    },
  };
}

/** Without a tag the engine would pull every tag there is. */
export function withTag(ref: string): string {
  const last = ref.slice(ref.lastIndexOf('/') + 1);
  return ref.includes('@') || last.includes(':') ? ref : `${ref}:latest`;
}
