import { Problem } from '../lib/problem.ts';
import type { EngineError } from './port.ts';

/** What a caller of the service is told of an engine's error. */
export function engineProblem(error: EngineError): Problem {
  const extra = { engine: { op: error.op, target: error.target, status: error.status, message: error.message } };
  const text = `${error.op} ${error.target}: ${error.message}`;
  switch (error.reason) {
    case 'unreachable':
      return new Problem('engine_unavailable', `The Docker engine does not answer: ${error.message}`, extra, { cause: error });
    case 'port_taken':
      return new Problem('port_taken', text, extra, { cause: error });
    case 'name_taken':
      return new Problem('name_conflict', text, extra, { cause: error });
    case 'not_found':
    case 'conflict':
    case 'refused':
      return new Problem('engine_error', `The Docker engine refused ${text}`, extra, { cause: error });
  }
}
