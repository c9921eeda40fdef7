import { request } from 'node:http';

/** Calls PD through one endpoint after the other until one answers below 500. Rejects when none does, each within two seconds. */
export function pdClient(endpoints) {
  let next = 0;
  return async (path, body) => {
    const failures = [];
    for (let tries = 0; tries < endpoints.length; tries++) {
      const endpoint = endpoints[next];
      try {
        const { status, text } = await post(endpoint, path, body);
        if (status < 500) return { status, body: JSON.parse(text) };
        failures.push(`${endpoint}: ${status} ${text.trim()}`);
      } catch (error) {
        failures.push(`${endpoint}: ${error.message}`);
      }
      next = (next + 1) % endpoints.length;
    }
    throw new Error(failures.join('; '));
  };
}

function post(endpoint, path, body) {
  return new Promise((resolve, reject) => {
    const url = new URL(path, `http://${endpoint.replace(/^https?:\/\//, '')}`);
    const call = request(url, { method: 'POST', agent: false, timeout: 2000, signal: AbortSignal.timeout(2000) }, (answer) => {
      const chunks = [];
      answer.on('data', (chunk) => chunks.push(chunk));
      answer.on('error', reject);
      answer.on('end', () => resolve({ status: answer.statusCode, text: Buffer.concat(chunks).toString() }));
    });
    call.on('error', reject);
    call.end(JSON.stringify(body));
  });
}
