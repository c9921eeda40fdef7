import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyBaseLogger, FastifyInstance, RawReplyDefaultExpression, RawRequestDefaultExpression, RawServerDefault } from 'fastify';
import type { Control } from '../control/api.ts';
import type { Once } from './once.ts';

/** The app as the route files see it: inputs are typed by their schemas. */
export type App = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression<RawServerDefault>,
  RawReplyDefaultExpression<RawServerDefault>,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

/** What the routes work with. */
export interface Deps {
  control: Control;
  once: Once;
  version: string;
  /** A bearer token is needed. */
  locked: boolean;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Answered to anybody: no Host, Origin or token check. */
    open?: boolean;
  }
}
