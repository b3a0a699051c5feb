/** Whose the thing is that a request names. */
export const WHOSE = ['own', 'anotherUsers', 'anotherTenants', 'deleted', 'madeUp'] as const;
export type Whose = (typeof WHOSE)[number];

/** What a caller with the scope is answered; null where there is no such thing. */
export interface Expectation {
  /** Null of a public operation. */
  scope: string | null;
  status: Record<Whose, number | null>;
}

/**
 * What is expected of every place of a request that names something: `{id}` of the path, `?bucket` of the query, `.bucket` of the body, and
 * `.items.bucket` of one item of a batch, where the status is the item's. Whoever adds an operation, or such a place, says here what is
 * expected of it. A tenant's things belong to all its administrators, so that another user's is answered as one's own.
 */
const TABLE = `
place                              | scope          | own | another user's | another tenant's | deleted | made up
createDownloadUrl .bucket          | read:objects   | 201 | 404 | 404 | 404 | 404
createDownloadUrl .key             | read:objects   | 201 | 403 |  -  | 403 | 403
createDownloadUrl .useCase         | read:objects   | 201 |  -  | 422 | 422 | 422
createUploadUrl .bucket            | write:objects  | 201 | 404 | 404 | 404 | 404
createUploadUrl .key               | write:objects  | 201 | 403 |  -  | 403 | 403
createUploadUrl .useCase           | write:objects  | 201 |  -  | 422 | 422 | 422
createDownloadUrls .items.bucket   | read:objects   | 201 | 404 | 404 | 404 | 404
createDownloadUrls .items.key      | read:objects   | 201 | 403 |  -  | 403 | 403
createDownloadUrls .items.useCase  | read:objects   | 201 |  -  | 422 | 422 | 422
createUploadUrls .items.bucket     | write:objects  | 201 | 404 | 404 | 404 | 404
createUploadUrls .items.key        | write:objects  | 201 | 403 |  -  | 403 | 403
createUploadUrls .items.useCase    | write:objects  | 201 |  -  | 422 | 422 | 422
checkPermissions .items.bucket     | read:objects   | 200 | 404 | 404 | 404 | 404
checkPermissions .items.key        | read:objects   | 200 | 403 |  -  | 403 | 403
checkPermissions .items.useCase    | read:objects   | 200 |  -  | 422 | 422 | 422

getUpload {id}                     | write:objects  | 200 | 404 | 404 | 404 | 404
abortUpload {id}                   | write:objects  | 204 | 404 | 404 | 404 | 404
createPartUrls {id}                | write:objects  | 200 | 404 | 404 | 404 | 404
listUploadParts {id}               | write:objects  | 200 | 404 | 404 | 404 | 404
createUploadCompletion {id}        | write:objects  | 409 | 404 | 404 | 404 | 404

getUppyParameters ?metadata[bucket]  | write:objects | 200 | 404 | 404 | 404 | 404
getUppyParameters ?metadata[key]     | write:objects | 200 | 403 |  -  | 403 | 403
getUppyParameters ?metadata[useCase] | write:objects | 200 |  -  | 422 | 422 | 422
createUppyUpload .metadata.bucket    | write:objects | 200 | 404 | 404 | 404 | 404
createUppyUpload .metadata.key       | write:objects | 200 | 403 |  -  | 403 | 403
createUppyUpload .metadata.useCase   | write:objects | 200 |  -  | 422 | 422 | 422
listUppyParts {uploadId}           | write:objects  | 200 | 404 | 404 | 404 | 404
listUppyPartUrls {uploadId}        | write:objects  | 200 | 404 | 404 | 404 | 404
getUppyPartUrl {uploadId}          | write:objects  | 200 | 404 | 404 | 404 | 404
completeUppyUpload {uploadId}      | write:objects  | 409 | 404 | 404 | 404 | 404
abortUppyUpload {uploadId}         | write:objects  | 200 | 404 | 404 | 404 | 404

listGrants ?bucket                 | admin:tenant   | 200 | 200 | 200 | 200 | 200
listGrants ?cursor                 | admin:tenant   | 200 |  -  | 200 |  -  | 400
createGrant .bucket                | admin:tenant   | 201 | 201 | 422 | 422 | 422
deleteGrant {id}                   | admin:tenant   | 204 | 204 | 404 | 404 | 404

listUseCases ?cursor               | admin:tenant   | 200 |  -  | 200 |  -  | 400
getUseCase {name}                  | admin:tenant   | 200 | 200 | 404 | 404 | 404
replaceUseCase {name}              | admin:tenant   | 200 | 200 | 201 | 201 | 201
deleteUseCase {name}               | admin:tenant   | 204 | 204 | 404 | 404 | 404

createBucket                       | admin:tenant   | 201 |  -  |  -  |  -  |  -
listBuckets ?cursor                | admin:tenant   | 200 |  -  | 200 |  -  | 400
getBucket {name}                   | admin:tenant   | 200 | 200 | 404 | 404 | 404
changeBucket {name}                | admin:tenant   | 200 | 200 | 404 | 404 | 404
deleteBucket {name}                | admin:tenant   | 204 | 204 | 404 | 404 | 404
getStoragePolicy {name}            | admin:tenant   | 200 | 200 | 404 | 404 | 404
checkBucket {name}                 | admin:tenant   | 200 | 200 | 404 | 404 | 404

listSigningKeys ?bucket            | admin:tenant   | 200 | 200 | 200 | 200 | 200
listSigningKeys ?cursor            | admin:tenant   | 200 |  -  | 200 |  -  | 400
revokeSigningKey {id}              | admin:tenant   | 202 | 202 | 404 | 404 | 404
startRotation .bucket              | admin:tenant   | 202 | 202 | 422 | 422 | 422
listRotations ?bucket              | admin:tenant   | 200 | 200 | 200 | 200 | 200
listRotations ?cursor              | admin:tenant   | 200 |  -  | 200 |  -  | 400
getRotation {id}                   | admin:tenant   | 200 | 200 | 404 | 404 | 404
retryRotation {id}                 | admin:tenant   | 202 | 202 | 404 | 404 | 404
escalateRotation {id}              | admin:tenant   | 202 | 202 | 404 | 404 | 404

listAuditEvents ?bucket            | read:audit     | 200 | 200 | 200 | 200 | 200
listAuditEvents ?key               | read:audit     | 200 | 200 |  -  | 200 | 200
listAuditEvents ?cursor            | read:audit     | 200 |  -  | 200 |  -  | 400

createTenant                       | admin:platform | 201 |  -  |  -  |  -  |  -
listTenants ?cursor                | admin:platform | 200 |  -  |  -  |  -  | 400
getTenant {slug}                   | admin:platform | 200 |  -  | 200 |  -  | 404
changeTenant {slug}                | admin:platform | 200 |  -  | 200 |  -  | 404
createIssuer .tenant               | admin:platform | 201 |  -  | 201 |  -  | 422
createIssuer .tenants              | admin:platform | 201 |  -  | 201 |  -  | 201
listIssuers ?cursor                | admin:platform | 200 |  -  |  -  |  -  | 400
getIssuer {id}                     | admin:platform | 200 |  -  | 200 | 404 | 404
changeIssuer {id}                  | admin:platform | 200 |  -  | 200 | 404 | 404
changeIssuer .tenants              | admin:platform | 200 |  -  | 200 |  -  | 200
deleteIssuer {id}                  | admin:platform | 204 |  -  | 204 | 404 | 404

getLiveness                        | -              | 200 |  -  |  -  |  -  |  -
getReadiness                       | -              | 200 |  -  |  -  |  -  |  -
`;

export const EXPECTATIONS: ReadonlyMap<string, Expectation> = new Map(
  TABLE.split('\n')
    .slice(2)
    .filter((line) => line !== '')
    .map((line) => {
      const [place = '', scope = '', ...statuses] = line.split('|').map((cell) => cell.trim());
      const expected = WHOSE.map((whose, index) => [whose, statuses[index] === '-' ? null : Number(statuses[index])]);
      return [
        place,
        { scope: scope === '-' ? null : scope, status: Object.fromEntries(expected) as Expectation['status'] },
      ];
    }),
);

/** Places whose names look as if they named something of ours, and do not. */
export const NAMES_NOTHING: ReadonlySet<string> = new Set([
  // What the bucket or the object's version is called at the store,
  'createBucket .bucket',
  'createDownloadUrl .versionId',
  'createDownloadUrls .items.versionId',
  // and what a grant is for.
  'createGrant .key',
  'listGrants ?key',
  // And what Uppy says again, and nothing goes by; and the number of a part.
  'listUppyParts ?key',
  'listUppyPartUrls ?key',
  'getUppyPartUrl ?key',
  'completeUppyUpload ?key',
  'abortUppyUpload ?key',
  'getUppyPartUrl {partNumber}',
]);
