/** The image that all others grow from: pulled, or made here from Debian's packages. */
export const BASE = 'debian:trixie-slim';

const TOOLBOX = { base: BASE, context: 'docker/toolbox', fetches: true, settings: ['GOPROXY', 'GOSUMDB', 'GONOSUMDB', 'GOPRIVATE'] };

/**
 * Every image that is built here, as data. `base` goes into the build argument BASE; `context` is the folder with the Dockerfile;
 * `bundle` names the file in it that says which TypeScript programs become one .mjs each, and how; `service` marks the service's own
 * image, whose context is assembled; `target` is the stage of the Dockerfile that becomes the image (the last one without it); `after`
 * names an image to be built first, as both share layers; `fetches` marks a build that loads modules over HTTPS: it gets this machine's
 * further CA certificates, and of `settings` those that are set; `use` tells whether `npm start` needs it or only `npm test`.
 */
export const IMAGES = [
  { tag: 'subjectd/node:20', base: BASE, context: 'docker/node', use: 'start' },
  { tag: 'subjectd/etcd:3.5', base: BASE, context: 'subjects/etcd/image', use: 'start' },
  { tag: 'subjectd/redis:8', base: BASE, context: 'subjects/ratelimiter/redis', use: 'start' },
  {
    tag: 'subjectd/ratelimiter:1',
    base: 'subjectd/node:20',
    context: 'subjects/ratelimiter/service',
    bundle: 'bundle.json',
    use: 'start',
  },
  { tag: 'subjectd/toolbox:1', ...TOOLBOX, target: 'toolbox', use: 'start' },
  { tag: 'subjectd/toolbox-test:1', ...TOOLBOX, target: 'test', after: 'subjectd/toolbox:1', use: 'test' },
  { tag: 'subjectd-standin/pd:test', base: 'subjectd/node:20', context: 'test/standins/pd', use: 'test' },
  { tag: 'subjectd-standin/tikv:test', base: 'subjectd/node:20', context: 'test/standins/tikv', use: 'test' },
  { tag: 'subjectd/compose-peer:1', base: BASE, context: 'docker/compose', use: 'test' },
  { tag: 'subjectd/subjectd:dev', base: 'subjectd/node:20', context: '.', service: true, use: 'test' },
];

/** Images that only a registry has, each with the setting that names another one. */
export const PULLED = [
  { setting: 'PD_IMAGE', name: 'pingcap/pd:v8.5.5', subject: 'tikv' },
  { setting: 'TIKV_IMAGE', name: 'pingcap/tikv:v8.5.5', subject: 'tikv' },
];
