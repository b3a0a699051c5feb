import { createParamDecorator, type ExecutionContext, type PipeTransform } from '@nestjs/common';
import type { FieldError } from '@countersign/errors';
import type { FastifyRequest } from 'fastify';
import { notAnObject } from '../../http/batch.pipe.js';
import { itemValidator } from '../../http/item-validator.js';
import { structureFault } from '../../http/json.js';
import { UnreadableBody } from '../../http/json-body.js';
import { invalid } from '../../http/request-validation.pipe.js';
import { UppyMetadata, UppyUploadRequest } from './uppy.dto.js';

/** A file as Uppy tells of it, read: nothing in it but what we know. */
export interface UppyFile {
  /** In NFC. */
  filename: string;
  type: string;
  metadata: UppyMetadata;
}

/** What is taken from the metadata; of the numbers, how they are read. */
const FIELDS: Readonly<Record<keyof UppyMetadata, (value: unknown) => unknown>> = {
  bucket: asIs,
  key: asIs,
  prefix: asIs,
  useCase: asIs,
  size: asNumber,
  partSize: asNumber,
  expiresInSeconds: asNumber,
};

class UppyFilePipe implements PipeTransform<unknown, UppyFile> {
  readonly #validateRequest = itemValidator(UppyUploadRequest);
  readonly #validateMetadata = itemValidator(UppyMetadata);

  /** @throws ProblemError `invalid-request` */
  transform(value: unknown): UppyFile {
    if (value instanceof UnreadableBody) throw value.problem;
    if (!isObject(value)) throw notAnObject('body');
    const fault = structureFault(value);
    const request = fault ? [fault] : this.#validateRequest(value);
    if (Array.isArray(request)) throw invalid(request);
    const metadata = this.#readMetadata((request.metadata ?? {}) as Record<string, unknown>);
    if (Array.isArray(metadata)) throw invalid(metadata);
    const { filename, type = 'application/octet-stream' } = request;
    return { filename: filename.normalize('NFC'), type, metadata };
  }

  #readMetadata(metadata: Record<string, unknown>): UppyMetadata | FieldError[] {
    const known = Object.entries(FIELDS).flatMap(([name, read]) => {
      const value = metadata[name];
      // A field of a form on the page that was left empty says nothing.
      return value === undefined || value === null || (value === '' && name !== 'prefix') ? [] : [[name, read(value)]];
    });
    const read = this.#validateMetadata(Object.fromEntries(known) as object);
    return Array.isArray(read) ? read.map((error) => ({ ...error, pointer: `/metadata${error.pointer}` })) : read;
  }
}

/** The file that a query tells of, its metadata as `metadata[name]=value`. */
export const FileOfQuery = () => Query(new UppyFilePipe());

/** The file that a body tells of. */
export const FileOfBody = () => AnyBody(new UppyFilePipe());

const Query = createParamDecorator((_: unknown, context: ExecutionContext): unknown => {
  const query = context.switchToHttp().getRequest<FastifyRequest>().query as Record<string, unknown>;
  const metadata: [string, unknown][] = [];
  const others: [string, unknown][] = [];
  for (const [name, value] of Object.entries(query)) {
    const inner = /^metadata\[(.*)\]$/s.exec(name)?.[1];
    if (inner === undefined) others.push([name, value]);
    else metadata.push([inner, value]);
  }
  if (metadata.length === 0) return Object.fromEntries(others);
  return Object.fromEntries([...others, ['metadata', Object.fromEntries(metadata)]]);
});

const AnyBody = createParamDecorator(
  (_: unknown, context: ExecutionContext): unknown => context.switchToHttp().getRequest<FastifyRequest>().body,
);

function asIs(value: unknown): unknown {
  return value;
}

/** What is not plain digits stays text and is refused. */
function asNumber(value: unknown): unknown {
  return typeof value === 'string' && /^\d{1,16}$/.test(value) ? Number(value) : value;
}

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
