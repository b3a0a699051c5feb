import { Body, Controller, Get, HttpCode, Param, Post, Query, Res, UseInterceptors } from '@nestjs/common';
import { ApiAcceptedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { RequireScope } from '@countersign/identity';
import type { FastifyReply } from 'fastify';
import { ApiProblems } from '../http/api-problems.js';
import { type Caller, Calling } from '../http/caller.js';
import { AskedOnce, Idempotent, type Once } from '../idempotency/once.js';
import { accepted } from './accepted.js';
import {
  DryRunQuery,
  DryRunResponse,
  EscalationRequest,
  RetryRequest,
  RotationPage,
  RotationRequest,
  RotationResponse,
  RotationsQuery,
} from './rotations.dto.js';
import { Rotations } from './rotations.js';
import { StartRotation } from './start-rotation.js';
import { UnlessUnderWay } from './under-way.js';

@ApiTags('Signing keys')
@RequireScope('admin:tenant')
@Controller('rotations')
export class RotationsController {
  constructor(
    private readonly starts: StartRotation,
    private readonly rotations: Rotations,
  ) {}

  /**
   * Changes a bucket's signing key: gracefully, or immediately.
   * @remarks `graceful`: a new key is made, signs once the store accepts it, and the old one is cut off when its last URL has expired; no
   * client sees a failure. `immediate`: the old key and its URLs are cut off now. Follow the rotation until it is `done`.
   */
  @Post()
  @HttpCode(202)
  @Idempotent()
  @UseInterceptors(UnlessUnderWay)
  @ApiAcceptedResponse({ type: RotationResponse })
  @ApiOkResponse({ type: DryRunResponse, description: 'Of a dry run: what would die.' })
  @ApiProblems('rotation-under-way', 'unknown-reference')
  startRotation(
    @Calling() caller: Caller,
    @Query() { dryRun }: DryRunQuery,
    @Body() request: RotationRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @AskedOnce() once: Once | null,
  ): Promise<RotationResponse | DryRunResponse> {
    return accepted(reply, this.starts.rotate(caller, request, { isDryRun: dryRun, once }));
  }

  /**
   * The tenant's rotations and revocations, newest first.
   * @remarks Those that are done too.
   */
  @Get()
  listRotations(@Calling() caller: Caller, @Query() query: RotationsQuery): Promise<RotationPage> {
    return this.rotations.list(caller, query);
  }

  /**
   * One rotation: how far it is, and what it waits for.
   * @remarks *Revoked* is said (`revokedAt`) once the store was seen refusing URLs of the key, several times in a row, while it was well.
   */
  @Get(':id')
  @ApiProblems('not-found')
  getRotation(@Calling() caller: Caller, @Param('id') id: string): Promise<RotationResponse> {
    return this.rotations.get(caller, id);
  }

  /**
   * Resumes a rotation that needs its operator.
   * @remarks At the step where it stopped. A key that was made by hand and is not accepted can be replaced by another one, also while the
   * store is still asked about it.
   */
  @Post(':id/retry')
  @HttpCode(202)
  @Idempotent()
  @ApiProblems('not-found', 'wrong-state')
  retryRotation(
    @Calling() caller: Caller,
    @Param('id') id: string,
    @Body() request: RetryRequest,
    @AskedOnce() once: Once | null,
  ): Promise<RotationResponse> {
    return this.rotations.retry(caller, id, request, once);
  }

  /**
   * Cuts off the old key of a graceful rotation now.
   * @remarks While it waits for URLs to expire: those die.
   */
  @Post(':id/escalation')
  @HttpCode(202)
  @Idempotent()
  @ApiProblems('not-found', 'wrong-state')
  escalateRotation(
    @Calling() caller: Caller,
    @Param('id') id: string,
    @Body() request: EscalationRequest,
    @AskedOnce() once: Once | null,
  ): Promise<RotationResponse> {
    return this.rotations.escalate(caller, id, request, once);
  }
}
