import { Type } from 'typebox';
import type { Event as EventView } from '../../events/log.ts';
import { anyObject, component, nullable, strict, time } from './types.ts';

export const EventQuery = Type.Object(
  {
    after: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: Number.MAX_SAFE_INTEGER,
        description: 'Events behind this id. A `Last-Event-ID` header wins over it.',
      }),
    ),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, default: 100, description: 'Of the list; the stream has no end.' })),
    subject: Type.Optional(Type.String({ minLength: 1, maxLength: 128, description: 'Only events of this subject.' })),
    type: Type.Optional(Type.String({ minLength: 1, maxLength: 128, description: 'Only events of this type.' })),
  },
  strict,
);

export const Event = component<EventView>('Event')(
  Type.Object(
    {
      id: Type.Integer({
        description:
          'Rises with every event, whatever its subject: by one, but after a crash of the service some numbers may be left out, where an `events.gap` stands then.',
      }),
      at: time(),
      type: Type.String(),
      subject: nullable(Type.String(), { description: 'Null: about the service or its engine.' }),
      data: anyObject(),
    },
    { description: 'One public line about what happened.' },
  ),
);

/** A page of events, oldest first. */
export interface EventList {
  events: EventView[];
  next_cursor: string | null;
}

export const EventList = component<EventList>('EventList')(
  Type.Object({
    events: Type.Array(Event.ref),
    next_cursor: nullable(Type.String(), { description: 'The `after` of the next page; null when there is nothing more now.' }),
  }),
);
