/**
 * The environment that tests run in: subjects of their own names and ports, so that a service that is in use beside them is not disturbed,
 * and the stand-ins in place of images that only a registry has. Settings of that other service are not taken over.
 */
export function testEnvironment(env, { chromium } = {}) {
  const kept = Object.entries(env).filter(([name]) => !name.startsWith('SUBJECTD_'));
  return {
    ...Object.fromEntries(kept),
    SUBJECTD_PROJECT_PREFIX: 't-',
    SUBJECTD_PORT_OFFSET: '5000',
    PD_IMAGE: 'subjectd-standin/pd:test',
    TIKV_IMAGE: 'subjectd-standin/tikv:test',
    ...(chromium ? { CHROMIUM: chromium } : {}),
  };
}
