import type { Client } from 'openapi-fetch';
import type { components, paths } from './schema.js';

/** Every call of the service, typed by its path. */
export type Api = Client<paths>;

export type UploadUrlRequest = components['schemas']['UploadUrlRequest'];
export type IssuedPutUpload = components['schemas']['IssuedPutUpload'];
export type IssuedPostUpload = components['schemas']['IssuedPostUpload'];
export type IssuedMultipartUpload = components['schemas']['IssuedMultipartUpload'];
export type IssuedUpload = IssuedPutUpload | IssuedPostUpload | IssuedMultipartUpload;

/** An upload as it stands: `GET /uploads/{id}`. */
export type Upload = Ok<paths['/uploads/{id}']['get']>;
/** The presigned URL of one part, with what must be sent to it. */
export type IssuedPart = Ok<paths['/uploads/{id}/parts']['post']>['parts'][number];
/** A part that the store has. */
export type StoredPart = Ok<paths['/uploads/{id}/parts']['get']>['parts'][number];
/** What was found at the store, and whether it is what was promised. */
export type CompletedUpload = Ok<paths['/uploads/{id}/completion']['post']>;
export type Mismatch = NonNullable<CompletedUpload['mismatches']>[number];

type Ok<Operation extends { responses: { 200: { content: { 'application/json': unknown } } } }> =
  Operation['responses'][200]['content']['application/json'];
