import { randomInt } from 'node:crypto';

/** The only source of chance in the service, so that every choice can be repeated. */
export interface Rng {
  /** A seed a caller can send back: an integer from 0 to 2^47. */
  seed(): number;
}

export const systemRng: Rng = {
  seed: () => randomInt(0, 2 ** 47),
};
