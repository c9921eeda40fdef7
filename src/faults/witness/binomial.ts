/** P(X <= k) for X ~ Binomial(n, p): the chance of at most k losses in n packets when each is lost with p. Summed in logarithms, exact enough for n in the thousands. */
export function atMost(k: number, n: number, p: number): number {
  if (k >= n) return 1;
  if (k < 0) return 0;
  if (p <= 0) return 1;
  if (p >= 1) return 0;
  let term = n * Math.log1p(-p);
  let sum = Math.exp(term);
  for (let i = 1; i <= k; i++) {
    term += Math.log((n - i + 1) / i) + Math.log(p) - Math.log1p(-p);
    sum += Math.exp(term);
  }
  return Math.min(1, sum);
}

/** P(X >= k). */
export function atLeast(k: number, n: number, p: number): number {
  return k <= 0 ? 1 : 1 - atMost(k - 1, n, p);
}

/** Fisher's exact test: the chance that `k` or more of all `k + otherK` losses fall on `n` packets and not on the other `otherN`, when both lose alike. */
export function atLeastBeside(k: number, n: number, otherK: number, otherN: number): number {
  const all = k + otherK;
  const least = Math.max(k, all - otherN);
  const total = logChoose(n + otherN, all);
  let sum = 0;
  for (let i = least; i <= Math.min(n, all); i++) sum += Math.exp(logChoose(n, i) + logChoose(otherN, all - i) - total);
  return Math.min(1, sum);
}

function logChoose(n: number, k: number): number {
  let log = 0;
  for (let i = 1; i <= k; i++) log += Math.log((n - k + i) / i);
  return log;
}
