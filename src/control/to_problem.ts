import { EngineError } from '../engine/port.ts';
import { engineProblem } from '../engine/problem.ts';
import { Problem } from '../lib/problem.ts';
import { DeadlineError } from '../lib/until.ts';
import { ToolboxError } from '../toolbox/port.ts';

/** Any error as one of the table. */
export function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof EngineError) return engineProblem(error);
  if (error instanceof ToolboxError) return toolboxProblem(error);
  if (error instanceof DeadlineError)
    return new Problem('engine_unavailable', `The Docker engine did not do it in time: ${error.message}.`, {}, { cause: error });
  return new Problem('internal', 'The service failed; the log has the details.', {}, { cause: error });
}

/** What the toolbox says, as one of the table. */
function toolboxProblem(error: ToolboxError): Problem {
  const about = { op: error.op, toolbox_code: error.code };
  const failed = () => new Problem('toolbox_error', `${error.op}: ${error.message}`, about, { cause: error });
  if (error.code === 'unavailable' || error.code === 'lost')
    return new Problem('toolbox_unavailable', `The toolbox: ${error.message}.`, about, { cause: error });
  // A reset's: they have no target and no chaos type.
  if (error.op.startsWith('volume.')) return failed();
  switch (error.code) {
    case 'not_running':
    case 'gone':
      return new Problem('no_candidate', `The target ended meanwhile: ${error.message}.`, about, { cause: error });
    case 'unsupported':
    case 'conflict':
    case 'host_namespace':
      return new Problem('chaos_unavailable', error.message, { ...about, reason: error.code }, { cause: error });
    case 'no_space':
      if (error.op === 'apply') return new Problem('chaos_unavailable', error.message, { ...about, reason: error.code }, { cause: error });
      return failed();
    default:
      return failed();
  }
}
