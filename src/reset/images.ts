import type { Engine, ImageDetail } from '../engine/port.ts';
import type { Subject } from '../kind/subject.ts';
import { Problem } from '../lib/problem.ts';
import { deadline } from '../lib/until.ts';

/** An image of a kind as it was first seen. */
export interface Pin {
  id: string;
  volumes: readonly string[];
}

/** An engine that takes a question and never answers must not hold the subject for ever. */
const lookMs = 15_000;

/**
 * Remembers which image each reference meant when the service first saw it. Something under test may tag, commit or build on the engine: a reset goes on
 * using the image that was pinned, and says so.
 */
export class ImagePins {
  #engine: Engine;
  #pins = new Map<string, Pin>();
  #refused = new Map<string, { at: number; message: string }>();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Pins what is present and not pinned yet. Answers the pin, or null when the image is not on the engine. */
  async look(reference: string, signal: AbortSignal): Promise<Pin | null> {
    const known = this.#pins.get(reference);
    if (known !== undefined) return known;
    const image = await this.#inspect(reference, signal);
    if (image === null) return null;
    const pin = { id: image.id, volumes: image.volumes };
    this.#pins.set(reference, pin);
    return pin;
  }

  /**
   * What to create the subject's containers from, by reference, with a note for each image that changed. Pulls what is missing; throws `IMAGE_UNAVAILABLE`
   * naming all that cannot be had. Changes nothing on the engine otherwise.
   */
  async resolve(
    subject: Subject,
    pullMs: number,
    signal: AbortSignal,
  ): Promise<{ images: Map<string, { use: string; volumes: readonly string[] }>; notes: string[] }> {
    const references = [...new Set(subject.project.services.map((s) => s.image))];
    const notes: string[] = [];
    const images = new Map<string, { use: string; volumes: readonly string[] }>();
    const missing: { image: string; why: string }[] = [];
    await Promise.all(
      references.map(async (reference) => {
        const present = await this.#inspect(reference, signal);
        const pin = this.#pins.get(reference);
        if (pin === undefined) {
          const mayPull = subject.project.services.some((s) => s.image === reference && s.pullPolicy !== 'never');
          const found =
            present !== null ? await this.look(reference, signal) : mayPull ? await this.#pull(reference, pullMs, signal) : null;
          if (found === null) missing.push({ image: reference, why: this.#refused.get(reference)?.message ?? 'not found' });
          else images.set(reference, { use: reference, volumes: found.volumes });
          return;
        }
        if (present?.id === pin.id) {
          images.set(reference, { use: reference, volumes: pin.volumes });
        } else if ((await this.#inspect(pin.id, signal)) !== null) {
          notes.push(
            `Image ${reference} is now ${present === null ? 'gone' : 'another one'}; the pinned ${short(pin.id)} was used. Restart the service to accept the change.`,
          );
          images.set(reference, { use: pin.id, volumes: pin.volumes });
        } else {
          missing.push({ image: reference, why: `the image that was pinned, ${short(pin.id)}, was removed from the engine` });
        }
      }),
    );
    if (missing.length > 0) throw unavailable(subject, missing);
    return { images, notes };
  }

  async #inspect(reference: string, signal: AbortSignal): Promise<ImageDetail | null> {
    using limited = deadline(`look at the image ${reference}`, lookMs, signal);
    return await this.#engine.inspectImage(reference, limited);
  }

  async #pull(reference: string, pullMs: number, signal: AbortSignal): Promise<Pin | null> {
    const refused = this.#refused.get(reference);
    // A registry that cannot be reached costs seconds to find out: not at each try.
    if (refused !== undefined && performance.now() - refused.at < 60_000) return null;
    using limited = deadline(`pull of ${reference}`, pullMs, signal);
    try {
      await this.#engine.pullImage(reference, () => {}, limited);
    } catch (error) {
      signal.throwIfAborted();
      this.#refused.set(reference, { at: performance.now(), message: error instanceof Error ? error.message : String(error) });
      return null;
    }
    return this.look(reference, signal);
  }
}

function unavailable(subject: Subject, missing: { image: string; why: string }[]): Problem {
  const variables = subject.kind.adapter.imageVariables;
  const names = missing.map((m) => m.image).join(', ');
  return new Problem(
    'IMAGE_UNAVAILABLE',
    `${subject.kind.name} needs ${names}, which cannot be had: ${missing[0]?.why ?? ''}. Pull or \`docker load\` the image${variables.length === 0 ? '' : `, or set ${variables.join(' or ')} to one that is here`}.`,
    { reason: 'IMAGE_UNAVAILABLE', images: missing, variables },
  );
}

function short(id: string): string {
  return id.replace('sha256:', '').slice(0, 12);
}
