import { Body, Controller, Delete, Get, HttpCode, Param, Put, Query, Res } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { RequireScope } from '@countersign/identity';
import type { FastifyReply } from 'fastify';
import { ApiProblems } from '../http/api-problems.js';
import { type Caller, Calling } from '../http/caller.js';
import { Conditional, IfMatch, WithEtag } from '../http/etag.js';
import { PageQuery } from '../http/page-query.dto.js';
import { UseCasePage, UseCaseRequest, UseCaseResponse } from './use-cases.dto.js';
import { UseCases } from './use-cases.js';

@ApiTags('Use cases')
@RequireScope('admin:tenant')
@Controller('use-cases')
export class UseCasesController {
  constructor(private readonly useCases: UseCases) {}

  /**
   * The tenant's use cases, by name.
   * @remarks A new tenant has `download`, `share`, `one-time`, `batch` and `upload`.
   */
  @Get()
  listUseCases(@Calling() caller: Caller, @Query() query: PageQuery): Promise<UseCasePage> {
    return this.useCases.list(caller, query);
  }

  /**
   * One use case.
   * @remarks With the ETag that a change of it takes.
   */
  @Get(':name')
  @WithEtag()
  @ApiProblems('not-found')
  getUseCase(@Calling() caller: Caller, @Param('name') name: string): Promise<UseCaseResponse> {
    return this.useCases.get(caller, name);
  }

  /**
   * Makes a use case, or replaces it whole.
   * @remarks What is left out gets its default. With `If-Match` only what was read is replaced.
   */
  @Put(':name')
  @WithEtag()
  @Conditional()
  @ApiCreatedResponse({ type: UseCaseResponse, description: 'It is new.' })
  @ApiOkResponse({ type: UseCaseResponse, description: 'It was replaced.' })
  async replaceUseCase(
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

  /**
   * Removes a use case; requests that name it are refused from then on.
   * @remarks URLs that were issued within it live on until they expire.
   */
  @Delete(':name')
  @HttpCode(204)
  @Conditional()
  @ApiProblems('not-found')
  deleteUseCase(
    @Calling() caller: Caller,
    @Param('name') name: string,
    @IfMatch() ifMatch: string | undefined,
  ): Promise<void> {
    return this.useCases.remove(caller, name, ifMatch);
  }
}
