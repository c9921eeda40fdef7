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
