import { ApiProperty, ApiSchema, type ApiSchemaOptions } from '@nestjs/swagger';

// What a field holds beyond its TypeScript type, for the OpenAPI document only: what is checked, validators.ts checks.

export const Uuid = () => ApiProperty({ format: 'uuid' });
export const Uri = () => ApiProperty({ format: 'uri' });
export const Timestamp = () => ApiProperty({ format: 'date-time' });
export const Integer = () => ApiProperty({ type: 'integer' });

/** More than 32 bits: a generator for a typed language must know. */
export const ByteCount = () => ApiProperty({ type: 'integer', format: 'int64' });

/** An object with members of any name. */
export const FreeForm = () => ApiProperty({ type: 'object', additionalProperties: true });

/** One of the class, as the document shows it. The linter checks it against the schema, and a test sends every request's to the API. */
export const Example = <T>(example: T): ClassDecorator => ApiSchema({ examples: [example] } as ApiSchemaOptions);
