import { Type } from 'typebox';
import { type ProblemBody, type ProblemCode, problemTable } from '../../lib/problem.ts';
import { component, words } from './types.ts';

const codes = Object.keys(problemTable) as ProblemCode[];

/** Every error of the service. */
export const Problem = component<ProblemBody>('Problem')(
  Type.Unsafe<ProblemBody>(
    Type.Object(
      {
        type: Type.String({ description: '`urn:subjectd:problem:` and the code.' }),
        title: Type.String({ description: 'The same for every problem of this code.' }),
        status: Type.Integer({ description: 'The HTTP status.' }),
        code: words(codes, { description: 'Stable, for programs. docs/errors.md lists them all.' }),
        detail: Type.String({ description: 'What happened this time, for people.' }),
        next: Type.String({ description: 'What to do about it.' }),
        instance: Type.Optional(Type.String({ description: 'The path of the request.' })),
        request_id: Type.Optional(Type.String({ description: 'Finds the request in the log of the service; equals `X-Request-Id`.' })),
        errors: Type.Optional(
          Type.Array(
            Type.Object({
              in: words(['body', 'query', 'path', 'header']),
              path: Type.String({ description: 'JSON pointer into the body, or the name of the parameter or header.' }),
              reason: Type.String(),
              allowed: Type.Optional(Type.Unknown({ description: 'The allowed values: a list, or an object of bounds.' })),
            }),
            { description: 'What is wrong with the request, all of it (`invalid_request`).' },
          ),
        ),
      },
      { additionalProperties: true, description: 'An error, as RFC 9457 has it. Some codes add members of their own.' },
    ),
  ),
);
