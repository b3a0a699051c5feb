import { Body, Controller, Get, HttpCode, Param, Post, Query, Res, UseInterceptors } from '@nestjs/common';
import { ApiAcceptedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { RequireScope } from '@countersign/identity';
import type { FastifyReply } from 'fastify';
import { ApiProblems } from '../http/api-problems.js';
import { type Caller, Calling } from '../http/caller.js';
import { AskedOnce, Idempotent, type Once } from '../idempotency/once.js';
import { accepted } from '../rotations/accepted.js';
import { DryRunQuery, DryRunResponse, RevocationRequest, RotationResponse } from '../rotations/rotations.dto.js';
import { StartRotation } from '../rotations/start-rotation.js';
import { UnlessUnderWay } from '../rotations/under-way.js';
import { SigningKeyPage, SigningKeysQuery } from './signing-keys.dto.js';
import { SigningKeys } from './signing-keys.js';

@ApiTags('Signing keys')
@RequireScope('admin:tenant')
@Controller('signing-keys')
export class SigningKeysController {
  constructor(
    private readonly signingKeys: SigningKeys,
    private readonly starts: StartRotation,
  ) {}

  /**
   * The tenant's signing keys, newest first, with what is out under each.
   * @remarks Deleted ones too. Their secrets never come out.
   */
  @Get()
  listSigningKeys(@Calling() caller: Caller, @Query() query: SigningKeysQuery): Promise<SigningKeyPage> {
    return this.signingKeys.list(caller, query);
  }

  /**
   * Cuts a signing key off now, without a successor.
   * @remarks Its URLs die, and the bucket issues no more until a rotation gives it another key.
   */
  @Post(':id/revocation')
  @HttpCode(202)
  @Idempotent()
  @UseInterceptors(UnlessUnderWay)
  @ApiAcceptedResponse({ type: RotationResponse })
  @ApiOkResponse({ type: DryRunResponse, description: 'Of a dry run: what would die.' })
  @ApiProblems('not-found', 'rotation-under-way', 'wrong-state')
  revokeSigningKey(
    @Calling() caller: Caller,
    @Param('id') id: string,
    @Query() { dryRun }: DryRunQuery,
    @Body() request: RevocationRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @AskedOnce() once: Once | null,
  ): Promise<RotationResponse | DryRunResponse> {
    return accepted(reply, this.starts.revoke(caller, id, request, { isDryRun: dryRun, once }));
  }
}
