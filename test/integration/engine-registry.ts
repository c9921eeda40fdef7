import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import { gzipSync } from 'node:zlib';
import { tarOf } from '../../src/engine/archive.ts';

/**
 * A registry of one image, `x:1`, over plain HTTP, which the engine allows on loopback. Tag `broken` names a layer that
 * is not there: a pull that fails after it has begun.
 */
export async function startRegistry(): Promise<{ host: string; close(): Promise<void> }> {
  const tar = await tarOf({ op: 'test', target: 'layer' }, [
    { path: '/hello', content: Buffer.from('hello'), mode: 0o644, uid: 0, gid: 0 },
  ]);
  const layer = gzipSync(tar);
  const good = imageOf(tar, layer, digest(layer), 'good');
  const broken = imageOf(tar, layer, digest(Buffer.from('something else')), 'broken');
  const blobs = new Map([good.config, broken.config, layer].map((blob) => [digest(blob), blob]));
  const manifests = new Map([
    ['1', good.manifest],
    ['broken', broken.manifest],
  ]);

  const server = createServer((request, response) => {
    const [kind = '', name = ''] = (request.url ?? '').split('/').slice(-2);
    const found = kind === 'manifests' ? (manifests.get(name) ?? [...manifests.values()].find((m) => digest(m) === name)) : blobs.get(name);
    if (request.url === '/v2/') return void response.end('{}');
    if (!found)
      return void response
        .writeHead(404, { 'content-type': 'application/json' })
        .end(`{"errors":[{"code":"${kind === 'manifests' ? 'MANIFEST' : 'BLOB'}_UNKNOWN"}]}`);
    const type = kind === 'manifests' ? 'application/vnd.docker.distribution.manifest.v2+json' : 'application/octet-stream';
    response.writeHead(200, { 'content-type': type, 'content-length': found.length, 'docker-content-digest': digest(found) });
    response.end(request.method === 'HEAD' ? undefined : found);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the registry does not listen');
  return { host: `127.0.0.1:${address.port}`, close: () => new Promise((resolve) => server.close(() => resolve())) };
}

/** `variant` keeps two images apart, as an engine that has the one would not fetch the other. */
function imageOf(tar: Buffer, layer: Buffer, layerDigest: string, variant: string): { config: Buffer; manifest: Buffer } {
  const config = json({
    architecture: 'amd64',
    os: 'linux',
    config: { Labels: { 'io.subjectd.test': 'engine' }, Volumes: { '/data': {} } },
    comment: variant,
    rootfs: { type: 'layers', diff_ids: [digest(variant === 'good' ? tar : Buffer.from(variant))] },
  });
  const manifest = json({
    schemaVersion: 2,
    mediaType: 'application/vnd.docker.distribution.manifest.v2+json',
    config: { mediaType: 'application/vnd.docker.container.image.v1+json', size: config.length, digest: digest(config) },
    layers: [{ mediaType: 'application/vnd.docker.image.rootfs.diff.tar.gzip', size: layer.length, digest: layerDigest }],
  });
  return { config, manifest };
}

function json(value: object): Buffer {
  return Buffer.from(JSON.stringify(value));
}

function digest(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
