/** Pieces of work about one thing, one after the other in order of the calls; about different things at once. */
export class InTurn {
  #last = new Map<string, Promise<void>>();

  run<T>(about: string, work: () => Promise<T>): Promise<T> {
    const next = (this.#last.get(about) ?? Promise.resolve()).then(work);
    const over = next.then(
      () => {},
      () => {},
    );
    this.#last.set(about, over);
    void over.then(() => {
      if (this.#last.get(about) === over) this.#last.delete(about);
    });
    return next;
  }
}
