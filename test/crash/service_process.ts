import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { deadline } from '../../src/lib/until.ts';
import type { Answer, Answers, Order } from './messages.ts';

/** The longest an order may take: a reset that waits for a busy host. */
const answerMs = 150_000;

/** The service in a process of its own, as the driver sees it. */
export class ServiceProcess {
  #child: ChildProcess;
  #lines: AsyncIterator<string>;
  #errors = '';
  #exited: Promise<unknown>;

  constructor(program: string, args: readonly string[], env: Record<string, string | undefined>) {
    // Not in the terminal's group: who stops the driver stops it, and it stops this one when it has cleaned up.
    this.#child = spawn(process.execPath, [program, ...args], { env, stdio: ['pipe', 'pipe', 'pipe'], detached: true });
    const { stdout, stderr, stdin } = this.#child;
    if (stdout === null || stderr === null || stdin === null) throw new Error('the process has no pipes');
    this.#exited = once(this.#child, 'exit');
    this.#lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
    stderr.on('data', (chunk: Buffer) => {
      this.#errors = (this.#errors + chunk.toString('utf8')).slice(-4000);
    });
    // It may be dead already; whoever waits for its answer learns of it.
    stdin.on('error', () => {});
  }

  /** What it last logged. */
  get log(): string {
    return this.#errors;
  }

  async ask<K extends Order['do']>(order: Order & { do: K }, ms = answerMs): Promise<Answers[K]> {
    return (await this.#ask(order, ms)) as Answers[K];
  }

  /** Runs an operation that the process dies in. True: at the point; false: it was not reached, and the process died after the operation's end. */
  async dieIn(order: Order & { do: 'run' }, ms: number): Promise<boolean> {
    const { died } = (await this.#ask(order, ms)) as { died: boolean };
    await this.#ended(10_000);
    return died;
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGKILL');
    await this.#ended(10_000);
  }

  /** A normal stop. */
  async close(): Promise<void> {
    this.#child.stdin?.end();
    await this.#ended(30_000);
  }

  async #ask(order: Order, ms: number): Promise<unknown> {
    this.#child.stdin?.write(`${JSON.stringify(order)}\n`);
    const line = await within(this.#lines.next(), order.do, ms);
    if (line.done) throw new Error(`the service ended without an answer to ${order.do}:\n${this.#errors}`);
    const answer = JSON.parse(line.value) as Answer;
    if ('error' in answer) throw new Error(`${order.do}: ${answer.error}`);
    return answer.answer;
  }

  async #ended(ms: number): Promise<void> {
    await within(this.#exited, 'end of the service', ms);
  }
}

/** Throws a DeadlineError when it takes longer. */
async function within<T>(work: Promise<T>, what: string, ms: number): Promise<T> {
  using limited = deadline(what, ms);
  const late = new Promise<never>((_resolve, reject) => limited.addEventListener('abort', () => reject(limited.reason), { once: true }));
  return Promise.race([work, late]);
}
