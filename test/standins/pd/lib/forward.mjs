import { request } from 'node:http';
import { plain } from './reply.mjs';
import { pause } from './time.mjs';

const waitMs = 3000;

/**
 * Passes a request on to the leader this PD believes in, without any time limit. Answers true when the response has been written,
 * a reply when it could not be, and null when this PD came to lead while it waited.
 */
export async function forward(pd, incoming, response, body) {
  if (incoming.headers['pd-redirector'] !== undefined) return plain(500, '[PD:apiutil:ErrRedirectToNotLeader]redirect to not leader');
  const deadline = Date.now() + waitMs;
  while (believed(pd) === null) {
    if (pd.election.serving) return null;
    if (Date.now() >= deadline) return plain(503, '[PD:apiutil:ErrRedirectNoLeader]redirect finds no leader');
    await pause(50);
  }
  return await new Promise((resolve) => {
    const url = new URL(incoming.url, believed(pd).clientUrls[0]);
    const headers = { ...incoming.headers, 'pd-redirector': pd.self.name, 'content-length': body.length };
    const call = request(url, { agent: false, method: incoming.method, headers }, (answer) => {
      const { 'content-type': type, 'content-length': length } = answer.headers;
      response.writeHead(answer.statusCode, { ...(type ? { 'content-type': type } : {}), ...(length ? { 'content-length': length } : {}) });
      answer.pipe(response);
      answer.on('error', () => response.destroy());
      resolve(true);
    });
    call.on('error', () => resolve(plain(500, '[PD:apiutil:ErrRedirect]redirect failed')));
    response.on('close', () => call.destroy());
    call.end(body);
  });
}

function believed({ election, self }) {
  return election.leader === null || election.leader.name === self.name ? null : election.leader;
}
