import { Controller, Get, Header } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Database, hotPathProblem, LATEST_MIGRATION } from '@countersign/database';
import { ProblemError } from '@countersign/errors';
import { Public } from '@countersign/identity';
import { ApiProblems } from '../http/api-problems.js';
import { Health } from './health.dto.js';

@ApiTags('Health')
@Public()
@Controller()
export class HealthController {
  constructor(private readonly database: Database) {}

  /**
   * Whether the process lives.
   * @remarks No other service is asked.
   */
  @Get('healthz')
  @Header('Cache-Control', 'no-store')
  getLiveness(): Health {
    return { status: 'ok' };
  }

  /**
   * Whether it can do its work: the database answers, has the migrations that this version needs, and keeps the same time.
   * @remarks Send it no requests until this answers 200.
   */
  @Get('readyz')
  @Header('Cache-Control', 'no-store')
  @ApiProblems('ledger-unavailable')
  async getReadiness(): Promise<Health> {
    const applied = await this.database.appliedMigrations().catch((cause: unknown) => {
      throw hotPathProblem(cause, 'The database did not answer.');
    });
    if (!applied.includes(LATEST_MIGRATION)) {
      throw new ProblemError('ledger-unavailable', 'The database lacks a migration: run "npm run db:migrate".', {
        retryAfterSeconds: 10,
      });
    }
    return { status: 'ok' };
  }
}
