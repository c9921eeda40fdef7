import type { IndexView } from './schemas/system.ts';

/** The page at `/` for people. No scripts, nothing from elsewhere. */
export function homePage(view: IndexView, options: { base: string; locked: boolean }): string {
  const { base, locked } = options;
  const auth = locked ? ' -H "Authorization: Bearer $SUBJECTD_TOKEN"' : '';
  const first = view.subjects[0]?.name ?? 'etcd';
  const calls = [
    `curl${auth} -X POST ${base}/v1/subjects/${first}/reset`,
    `curl${auth} "${base}/v1/subjects/${first}/health?wait=healthy&timeout_ms=60000"`,
    `curl${auth} ${base}/v1/subjects/${first}/state`,
    `curl${auth} ${base}/v1/subjects/${first}/faults -H 'Content-Type: application/json' -d '{"chaos_type":"node_kill","seed":7}'`,
    `curl${auth} -X DELETE ${base}/v1/subjects/${first}/faults`,
  ];
  const rows = view.subjects.map((subject) => {
    const health = subject.healthy ? 'healthy' : subject.phase === 'running' ? 'not healthy' : '–';
    const path = `/v1/subjects/${encodeURIComponent(subject.name)}`;
    return html`<tr><td><a href="${path}">${subject.name}</a></td><td>${subject.kind}</td><td>${subject.phase}</td>
<td><a href="${path}/health">${health}</a></td><td>${subject.last_updated ?? '–'}</td></tr>`;
  });
  const links = Object.entries(view.links).map(([name, href]) => html`<li><a href="${href}">${name}</a></li>`);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>subjectd</title><style>${style}</style></head><body><main>
<h1>subjectd <small>${escapeHtml(view.version)}</small></h1>
<p>Owns systems under test: resets them to a clean, proven-healthy state, watches them, captures their state, injects faults and heals them.
Start at <a href="/docs">the documentation</a>, where every call can be tried.</p>
<h2>Subjects</h2>
${view.problem === null ? '' : html`<p class="problem">${view.problem}</p>`}
<table><thead><tr><th>Name</th><th>Kind</th><th>Phase</th><th>Health</th><th>Polled</th></tr></thead><tbody>
${rows.join('\n')}
</tbody></table>
<h2>From a shell</h2>
<pre>${escapeHtml(calls.join('\n'))}</pre>
<h2>Everything else</h2>
<ul>${links.join('\n')}</ul>
</main></body></html>
`;
}

/** Content-Security-Policy of the page. */
export const homePolicy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const style = `:root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;margin:0}main{max-width:56rem;margin:auto;padding:1rem 1.5rem}
small{font-weight:normal;opacity:.7}table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.3rem .8rem .3rem 0;border-bottom:1px solid #8884}
pre{overflow:auto;white-space:pre-wrap;padding:1rem;background:#8882;border-radius:6px}ul{columns:2}.problem{padding:.5rem 1rem;border-left:4px solid #c33}`;

function html(strings: TemplateStringsArray, ...values: string[]): string {
  return String.raw({ raw: strings }, ...values.map(escapeHtml));
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}
