import { createHash, timingSafeEqual } from 'node:crypto';
import { Controller, Get, Header, Headers } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { Config } from '@countersign/config';
import { ProblemError } from '@countersign/errors';
import { Public } from '@countersign/identity';
import { Registry } from 'prom-client';

/** For Prometheus and not for clients: it stands in no OpenAPI document. */
@ApiExcludeController()
@Public()
@Controller('metrics')
export class MetricsController {
  constructor(
    private readonly config: Config,
    private readonly registry: Registry,
  ) {}

  /** The figures in Prometheus' text format; behind METRICS_TOKEN where that is set. */
  @Get()
  @Header('Content-Type', Registry.PROMETHEUS_CONTENT_TYPE)
  @Header('Cache-Control', 'no-store')
  read(@Headers('authorization') authorization = ''): Promise<string> {
    const { metricsToken } = this.config;
    if (metricsToken !== null && !isSame(authorization, `Bearer ${metricsToken}`))
      throw new ProblemError('unauthenticated', 'The figures need the token of this installation: METRICS_TOKEN.');
    return this.registry.metrics();
  }
}

/** In the same time for every wrong answer, so that a token cannot be guessed piece by piece: the digests are equally long. */
function isSame(given: string, expected: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}
