import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { problems } from '@countersign/errors';

interface Operation {
  operationId: string;
  security: Record<string, string[]>[];
  responses: Record<string, { description?: string; $ref?: string }>;
}

const text = readFileSync('openapi.json', 'utf8');
const document = JSON.parse(text) as {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, { enum?: string[]; examples?: unknown[] }> };
};
const operations = Object.values(document.paths).flatMap((path) => Object.values(path));

describe('openapi.json', () => {
  it('names every operation as the method of a client: each once, and as before', () => {
    // A generated client's methods have these names: to change one breaks whoever uses it.
    expect(operations.map(({ operationId }) => operationId).toSorted()).toEqual(
      `abortUpload abortUppyUpload changeBucket changeIssuer changeTenant checkBucket checkPermissions completeUppyUpload createBucket
       createDownloadUrl createDownloadUrls createGrant createIssuer createPartUrls createTenant
       createUploadCompletion createUploadUrl createUploadUrls createUppyUpload deleteBucket deleteGrant deleteIssuer
       deleteUseCase escalateRotation getBucket getIssuer getLiveness getReadiness getRotation getStoragePolicy
       getTenant getUpload getUppyParameters getUppyPartUrl getUseCase listAuditEvents listBuckets listGrants listIssuers listRotations
       listSigningKeys listTenants listUploadParts listUppyPartUrls listUppyParts listUseCases replaceUseCase retryRotation revokeSigningKey
       startRotation`.split(/\s+/),
    );
  });

  it('says of every operation which scope it needs, as the guard has it', () => {
    const scopes = new Map(operations.map(({ operationId, security }) => [operationId, security]));
    expect(scopes.get('createUploadUrl')).toEqual([{ bearer: ['write:objects'] }]);
    expect(scopes.get('listAuditEvents')).toEqual([{ bearer: ['read:audit'] }]);
    expect(scopes.get('changeTenant')).toEqual([{ bearer: ['admin:platform'] }]);
    expect(operations.filter(({ security }) => security.length === 0).map(({ operationId }) => operationId)).toEqual([
      'getLiveness',
      'getReadiness',
    ]);
  });

  it('knows every code of the table, and every code is the answer of some operation', () => {
    expect(document.components.schemas['ProblemCode']?.enum?.toSorted()).toEqual(Object.keys(problems).toSorted());
    const answers = JSON.stringify([document.paths, (document.components as Record<string, unknown>)['responses']]);
    expect(Object.keys(problems).filter((code) => !answers.includes(`#/components/examples/${code}"`))).toEqual([]);
  });

  it('describes every answer', () => {
    const undescribed = operations.flatMap(({ operationId, responses }) =>
      Object.entries(responses)
        .filter(([, { description, $ref }]) => !description && !$ref)
        .map(([status]) => `${operationId} ${status}`),
    );
    expect(undescribed).toEqual([]);
  });

  it('calls no number but an integer a number: nothing here has a fraction', () => {
    expect(text).not.toMatch(/"type": (?:"number"|\[\s*"number")/);
  });
});
