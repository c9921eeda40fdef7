/** A set-up step that cannot go on: its message is one sentence that names the way out, `details` are last lines of output. */
export class SetupError extends Error {
  constructor(sentence, details = []) {
    super(sentence);
    this.name = 'SetupError';
    this.details = details;
  }
}

/** Writes a failure to stderr as its sentence, or with its stack when it is not one that was foreseen. */
export function report(error) {
  if (error instanceof SetupError) {
    for (const line of error.details) process.stderr.write(`    ${line}\n`);
    process.stderr.write(`subjectd: ${error.message}\n`);
  } else process.stderr.write(`subjectd: ${error?.stack ?? error}\n`);
}
