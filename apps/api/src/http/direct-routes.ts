import { Injectable, type PipeTransform, type Type } from '@nestjs/common';
import { HTTP_CODE_METADATA, PATH_METADATA } from '@nestjs/common/internal';
import { HttpAdapterHost } from '@nestjs/core';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import type { FastifyAdapter } from '@nestjs/platform-fastify';
import { JwtAuthGuard } from '@countersign/identity';
import { RateLimits } from '@countersign/rate-limits';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Once, onceOf } from '../idempotency/once.js';
import { type Caller, callerOf } from './caller.js';
import { ProblemFilter } from './problem.filter.js';
import { RequestValidationPipe } from './request-validation.pipe.js';
import { UnreadBody } from './unread-body.js';

/** What such a route has beyond its body's DTO. */
export interface More<Body, Answer> {
  /** Reads the body, behind the global pipe. */
  pipe?: PipeTransform<unknown, Promise<Body>>;
  /** Of a batch: how many URLs it asks for. The guard has counted one. */
  count?: (body: Body) => number;
  /** Hears of an answer before it is text. */
  answered?: (request: FastifyRequest, answer: Answer) => void;
}

type Method<Body, Answer> = (caller: Caller, body: Body, once: Once | null) => Promise<Answer>;

interface Route {
  controller: Type;
  method: () => unknown;
  status: number;
  read: (body: unknown) => Promise<unknown>;
  count: (body: unknown) => number;
  execute: (caller: Caller, body: unknown, once: Once | null) => Promise<object>;
  answered: ((request: FastifyRequest, answer: object) => void) | undefined;
}

const HEADERS = { 'cache-control': 'no-store', 'content-type': 'application/json; charset=utf-8' };

/**
 * The issuing calls' way from Fastify to their controllers. It is Nest's, step by step: the global guard, the global pipe and the
 * parameter's own, the method, the global filter. Nest, which must be ready for interceptors, streams and whatever else there may be, takes
 * as long to get there as all that is done there (docs/benchmarks.md).
 */
@Injectable()
export class DirectRoutes {
  readonly #routes = new Map<string, Route>();

  constructor(
    { httpAdapter }: HttpAdapterHost<FastifyAdapter>,
    private readonly guard: JwtAuthGuard,
    private readonly rateLimits: RateLimits,
    private readonly pipe: RequestValidationPipe,
    private readonly filter: ProblemFilter,
  ) {
    httpAdapter.getInstance().addHook('onRoute', (options) => {
      const route = options.method === 'POST' && this.#routes.get(options.url);
      if (route) options.handler = (request, reply) => void this.#handle(route, request, reply);
    });
  }

  /** This method of a controller, a POST of a caller, a body and perhaps an Idempotency-Key, is called directly; for that, what it is decorated with is read once. */
  add<Name extends string, Body, Answer extends object>(
    controller: Record<Name, Method<Body, Answer>>,
    name: Name,
    { pipe, count = () => 1, answered }: More<Body, Answer> = {},
  ): void {
    const { constructor } = controller;
    const method = controller[name] as Method<unknown, Answer>;
    const [, metatype] = Reflect.getMetadata('design:paramtypes', controller, name) as [unknown, Type];
    const read = (body: unknown) => this.pipe.transform(body, { type: 'body', metatype });
    this.#routes.set(`/${Reflect.getMetadata(PATH_METADATA, constructor) as string}`, {
      controller: constructor as Type,
      method: method as () => unknown,
      status: (Reflect.getMetadata(HTTP_CODE_METADATA, method) as number | undefined) ?? 201,
      read: pipe ? async (body) => pipe.transform(await read(body), { type: 'body', metatype }) : read,
      count: count as Route['count'],
      execute: method.bind(controller),
      answered: answered as Route['answered'],
    });
  }

  async #handle(route: Route, request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const context = new ExecutionContextHost([request, reply], route.controller, route.method);
    try {
      await this.guard.canActivate(context);
      const answer = await this.#execute(route, request, reply);
      route.answered?.(request, answer);
      // In bytes: for a text Node would set aside three for each character, a quarter of a megabyte for a batch.
      const body = Buffer.from(JSON.stringify(answer));
      void reply.status(route.status).headers(HEADERS).send(body);
    } catch (error) {
      this.filter.answer(error, request, reply);
    }
  }

  async #execute({ read, count, execute }: Route, request: FastifyRequest, reply: FastifyReply): Promise<object> {
    const caller = callerOf(request);
    const hasKey = request.headers['idempotency-key'] !== undefined;
    const body = hasKey && request.body instanceof UnreadBody ? await request.body.read() : request.body;
    const asked = await read(body);
    const more = count(asked) - 1;
    if (more > 0) this.rateLimits.take(caller, more, reply);
    return execute(caller, asked, hasKey ? onceOf(request, body) : null);
  }
}
