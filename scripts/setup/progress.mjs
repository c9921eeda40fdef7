import { stripVTControlCharacters } from 'node:util';

const HEARTBEAT_MS = 10_000;
const REDRAW_MS = 200;

/** Elapsed time for people: "0.4 s", "12 s", "1 min 5 s". */
export function elapsed(ms) {
  if (ms < 9_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** A program's line without colours and other control characters. */
const plain = (text) =>
  stripVTControlCharacters(text)
    .replace(/\p{Cc}+/gu, ' ')
    .trim();

/**
 * Says what set-up is doing: one line per finished step; in between a live line on a terminal, and elsewhere a line when long work
 * begins and one every ten seconds while it lasts.
 */
export class Progress {
  #out;
  #active = new Set();
  #timer;

  constructor(out = process.stdout) {
    this.#out = out;
  }

  /**
   * Runs `work(note)`, where `note(text)` says what it is at (on a line of its own when called with `true` as well, for long work) and what
   * `work` resolves to becomes the step's line.
   */
  async step(name, work) {
    const step = { name, text: '', startedAt: performance.now(), spokeAt: performance.now() };
    this.#active.add(step);
    this.#timer ??= setInterval(() => this.#tick(), REDRAW_MS);
    const note = (text, loud = false) => {
      step.text = plain(text) || step.text;
      if (loud && !this.#out.isTTY) this.#line(`${name}: ${step.text} …`);
    };
    try {
      const result = await work(note);
      this.#finish(step);
      this.#line(`${name}: ${result} (${elapsed(performance.now() - step.startedAt)})`);
    } catch (error) {
      this.#finish(step);
      this.#line(`${name}: failed (${elapsed(performance.now() - step.startedAt)})`);
      throw error;
    }
  }

  /** Writes one line that stays. */
  say(text) {
    this.#line(text);
  }

  #finish(step) {
    this.#active.delete(step);
    if (this.#active.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #line(text) {
    if (this.#out.isTTY) this.#out.write('\r\x1b[K');
    this.#out.write(`· ${text}\n`);
  }

  #tick() {
    const now = performance.now();
    if (this.#out.isTTY) {
      const live = [...this.#active].map((step) => `${step.name}: ${step.text} (${elapsed(now - step.startedAt)})`).join('  |  ');
      this.#out.write(`\r\x1b[K${live.slice(0, (this.#out.columns || 80) - 1)}`);
      return;
    }
    for (const step of this.#active) {
      if (now - step.spokeAt < HEARTBEAT_MS) continue;
      step.spokeAt = now;
      this.#line(`${step.name}: still at it, ${elapsed(now - step.startedAt)}${step.text ? ` (${step.text.slice(0, 100)})` : ''}`);
    }
  }
}
