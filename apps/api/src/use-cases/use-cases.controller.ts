import { Body, Controller, Delete, Get, HttpCode, Param, Put, Query, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiCreatedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { RequireScope } from '@countersign/identity';
import type { FastifyReply } from 'fastify';
import { ApiProblems } from '../http/api-problems.js';
import { type Caller, Calling } from '../http/caller.js';
import { Conditional, IfMatch, WithEtag } from '../http/etag.js';
import { PageQuery } from '../http/paging.js';
import { UseCasePage, UseCaseRequest, UseCaseResponse } from './use-cases.dto.js';
import { UseCases } from './use-cases.js';

@ApiTags('Use cases')
@ApiBearerAuth()
@RequireScope('admin:tenant')
@Controller('use-cases')
export class UseCasesController {
  constructor(private readonly useCases: UseCases) {}

  /** The tenant's use cases, by name. */
  @Get()
  @ApiProblems(400, 401, 403, 503)
  list(@Calling() caller: Caller, @Query() query: PageQuery): Promise<UseCasePage> {
    return this.useCases.list(caller, query);
  }

  /** One use case. */
  @Get(':name')
  @WithEtag()
  @ApiProblems(401, 403, 404, 503)
  get(@Calling() caller: Caller, @Param('name') name: string): Promise<UseCaseResponse> {
    return this.useCases.get(caller, name);
  }

  /** Makes a use case, or replaces it whole. */
  @Put(':name')
  @WithEtag()
  @Conditional()
  @ApiCreatedResponse({ type: UseCaseResponse, description: 'It is new.' })
  @ApiOkResponse({ type: UseCaseResponse, description: 'It was replaced.' })
  @ApiProblems(400, 401, 403, 412, 413, 415, 503)
  async replace(
    @Calling() caller: Caller,
    @Param('name') name: string,
    @Body() request: UseCaseRequest,
    @IfMatch() ifMatch: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<UseCaseResponse> {
    const { isNew, useCase } = await this.useCases.replace(caller, name, request, ifMatch);
    void reply.status(isNew ? 201 : 200);
    return useCase;
  }

  /** Removes a use case; requests that name it are refused from then on. */
  @Delete(':name')
  @HttpCode(204)
  @Conditional()
  @ApiProblems(401, 403, 404, 412, 503)
  remove(
    @Calling() caller: Caller,
    @Param('name') name: string,
    @IfMatch() ifMatch: string | undefined,
  ): Promise<void> {
    return this.useCases.remove(caller, name, ifMatch);
  }
}
