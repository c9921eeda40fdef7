/** The page that says what was run, on what, and what came of it. Figures are the tests' own words. */
export function resultPage(console, { date, tookMs, qemu }) {
  const failures = console.failures();
  const all = console.suites.flatMap(({ tests }) => tests);
  const count = (verdict) => all.filter((test) => test.verdict === verdict).length;
  return [
    '# netem and control groups of version 2, on a kernel that has them',
    '',
    'Written by `npm run test:machine`: the kernel tests of the toolbox agent (`docker/toolbox/agent/internal/netfault`, `resource`), run in a small virtual machine with Debian’s own kernel and engine.',
    '',
    `- Result: **${failures.length === 0 ? 'passed' : 'failed'}**; ${count('PASS')} passed, ${count('FAIL')} failed, ${count('SKIP')} not run, tests within tests included`,
    `- Date: ${date}; it took ${Math.round(tookMs / 1000)} s`,
    `- Kernel: Linux ${console.kernel ?? 'unknown'}, two processors emulated by ${qemu} (TCG, no KVM)`,
    `- Tools: ${console.tools ?? 'unknown'}`,
    `- Engine: ${console.engine ?? 'none'}`,
    `- Modules that this kernel does not have: ${console.missing.join(', ') || 'none'}`,
    ...failures.map((failure) => `- Wrong: ${failure}`),
    '',
    'What is exact: the qdisc trees and filters (compared part by part with the plan), which band a packet takes (the filters’ own counters), no packet earlier than asked, none lost that should arrive,',
    'none that arrives and should not, what is left after a heal (nothing). The order within a flow is exact with one processor; with two, a packet that one processor hands on can be overtaken',
    'behind the qdisc by the next, sent by the other, so there it is only counted. What is not: how late packets are. An emulated processor stalls for tens of milliseconds, so upper bounds are ten times',
    'those of the same tests on a real machine; the figures below say what was seen.',
    '',
    ...console.suites.flatMap(suiteLines),
  ].join('\n');
}

function suiteLines({ name, tests }) {
  const figures = tests
    .filter(({ name: test }) => !test.includes('AreFast'))
    .flatMap(({ words }) => words.filter((word) => /asked|filters hit|^free|^-?[0-9.]+ %|--cpus|ballast|frozen/.test(word)));
  return [
    `## ${name[0].toUpperCase()}${name.slice(1)}`,
    '',
    '| test | result | s |',
    '|---|---|---|',
    ...tests.map((test) => `| ${test.name.replaceAll('_', ' ')} | ${outcome(test)} | ${test.took.toFixed(1)} |`),
    '',
    ...(figures.length > 0 ? ['In the tests’ words:', '', '```', ...figures, '```', ''] : []),
  ];
}

function outcome({ verdict, words }) {
  if (verdict === 'PASS') return 'passed';
  const why = (words.at(-1) ?? 'no reason given').replaceAll('|', '\\|').slice(0, 200);
  return verdict === 'SKIP' ? `not run: ${why}` : `**failed**: ${why}`;
}
