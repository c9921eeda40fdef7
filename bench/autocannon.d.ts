/** What the bench uses of autocannon 8, which comes without types. Times in milliseconds, the duration in seconds. */
declare module 'autocannon' {
  interface Options {
    url: string;
    connections: number;
    overallRate: number;
    duration: number;
  }
  interface Result {
    latency: { p50: number; p99: number; max: number };
    requests: { total: number };
    errors: number;
    timeouts: number;
    non2xx: number;
  }
  export default function autocannon(options: Options): Promise<Result> & { stop(): void };
}
