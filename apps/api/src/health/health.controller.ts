import { Controller, Get, Header } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Database, LATEST_MIGRATION } from '@countersign/database';
import { ProblemError } from '@countersign/errors';
import { Public } from '@countersign/identity';
import { ApiProblems } from '../http/api-problems.js';

export class Health {
  status!: 'ok';
}

@ApiTags('Health')
@Public()
@Controller()
export class HealthController {
  constructor(private readonly database: Database) {}

  /** Whether the process lives. */
  @Get('healthz')
  @Header('Cache-Control', 'no-store')
  live(): Health {
    return { status: 'ok' };
  }

  /** Whether it can do its work: the database answers and has the migrations that this version needs. */
  @Get('readyz')
  @Header('Cache-Control', 'no-store')
  @ApiProblems(503)
  async ready(): Promise<Health> {
    const applied = await this.database.appliedMigrations().catch((cause: unknown) => {
      throw new ProblemError('ledger-unavailable', 'The database did not answer.', { retryAfterSeconds: 2, cause });
    });
    if (!applied.includes(LATEST_MIGRATION)) {
      throw new ProblemError('ledger-unavailable', 'The database lacks a migration: run "npm run db:migrate".', {
        retryAfterSeconds: 10,
      });
    }
    return { status: 'ok' };
  }
}
