import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../setup/root.mjs';
import { runGroup } from './group.mjs';
import { withService } from './live-service.mjs';

const FOLDER = 'clients/python';
const SUBJECTS = ['etcd', 'ratelimiter', 'tikv'];

/** Runs the Python client's own tests with unittest, against a live service and every subject, and adds them to the tally. */
export async function runPythonTests(python, tally, { env, timeoutMs, signal }) {
  const project = join(root, FOLDER);
  if (!existsSync(join(project, 'tests'))) return tally.check(FOLDER, false, 'has no folder tests');
  try {
    await withService(env, signal, async (url, token) => {
      const lines = [];
      const { code, timedOut } = await runGroup(python, ['-m', 'unittest', 'discover', '-v', '-s', 'tests', '-t', '.'], {
        cwd: project,
        env: {
          ...env,
          SUBJECTD_URL: url,
          SUBJECTD_TOKEN: token,
          SUBJECTD_TEST_SUBJECTS: SUBJECTS.join(','),
          PYTHONDONTWRITEBYTECODE: '1',
          PYTHONUNBUFFERED: '1',
        },
        timeoutMs,
        signal,
        onLine: (line) => {
          lines.push(line);
          console.log(`  python: ${line}`);
        },
      });
      tally.unittest(FOLDER, lines.join('\n'), code ?? 1);
      if (timedOut) tally.check(FOLDER, false, 'did not end in time');
    });
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    tally.check(`${FOLDER}: the live service`, false, error.message);
  }
}
