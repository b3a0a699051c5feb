import { describe, expect, it } from '@jest/globals';
import { type ArgumentMetadata, ValidationPipe } from '@nestjs/common';
import { IsArray, IsString, ValidateNested } from 'class-validator';
import fc from 'fast-check';
import { DownloadUrlRequest } from '../../../apps/api/src/download-url/download-url.dto.js';
import { compileDto } from '../../../apps/api/src/http/compiled-dto.js';
import { UploadUrlRequest } from '../../../apps/api/src/upload-url/upload-url.dto.js';

/** What Nest's own pipe makes of a value, or that it refuses. */
async function byClassValidator(Dto: new () => object, value: object): Promise<object | null> {
  const pipe = new ValidationPipe({
    whitelist: true,
    forbidNonWhitelisted: true,
    forbidUnknownValues: true,
    transform: true,
  });
  const metadata: ArgumentMetadata = { type: 'body', metatype: Dto };
  return pipe.transform(value, metadata).then(
    (instance) => instance as object,
    () => null,
  );
}

/** Good, nearly good and wild values for a field. */
const values = fc.oneof(
  fc.constantFrom(
    'files',
    'a/b',
    'a//b',
    '',
    'GET',
    'HEAD',
    'inline',
    'text/plain',
    'x.png',
    'ü',
    '\ud800',
    null,
    true,
    1,
    0,
    -1,
    1.5,
    1e300,
  ),
  fc.constantFrom('LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=', 'upload', 'prefix/', {}, []),
  fc.string({ maxLength: 12 }),
);

describe.each([
  ['a download', DownloadUrlRequest, { bucket: 'files', key: 'a/b' }],
  ['an upload', UploadUrlRequest, { bucket: 'files', key: 'a/b', contentType: 'text/plain', contentLength: 3 }],
] as const)('the compiled rules of %s', (_, Dto, good) => {
  const compiled = compileDto(Dto)!;
  const fields = [
    'bucket',
    'key',
    'useCase',
    'expiresInSeconds',
    'method',
    'filename',
    'disposition',
    'contentType',
    'versionId',
  ];
  const more = ['prefix', 'contentLength', 'checksumSha256', 'overwrite', 'unknown'];

  it("accept exactly what class-validator accepts, and make of it what Nest's pipe makes", async () => {
    let accepted = 0;
    const agrees = async (changes: Record<string, unknown>) => {
      const value = { ...good, ...changes };
      const instance = compiled(value);
      expect(instance).toEqual(await byClassValidator(Dto, value));
      if (instance === null) return;
      accepted++;
      expect(instance).toBeInstanceOf(Dto);
    };
    await agrees({});
    const changes = fc.dictionary(fc.constantFrom(...fields, ...more), values, { maxKeys: 3 });
    await fc.assert(fc.asyncProperty(changes, agrees), { numRuns: 1_000 });
    expect(accepted).toBeGreaterThan(20);
  });
});

describe('rules of kinds that are not compiled', () => {
  it('are left to class-validator', () => {
    class Nested {
      @ValidateNested() inner!: object;
    }
    class Each {
      @IsArray() @IsString({ each: true }) names!: string[];
    }
    class Plain {
      name!: string;
    }
    for (const Dto of [Nested, Each, Plain, Object]) expect(compileDto(Dto)).toBeNull();
  });
});
