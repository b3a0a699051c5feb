import { type AccessKeyMetadata, type IAMClient, ListAccessKeysCommand } from '@aws-sdk/client-iam';
import { awsFault } from './aws-fault.js';

/** All access keys of a user, as IAM shows them now, and when that is by its own clock. */
export async function listAccessKeys(
  client: IAMClient,
  userName: string,
  abortSignal: AbortSignal,
): Promise<{ keys: AccessKeyMetadata[]; at: Date }> {
  const keys: AccessKeyMetadata[] = [];
  let at: Date | undefined;
  let marker: string | undefined;
  try {
    do {
      const command = new ListAccessKeysCommand({ UserName: userName, ...(marker && { Marker: marker }) });
      command.middlewareStack.add(
        (next) => async (args) => {
          const result = await next(args);
          // Of the first page: the list is no newer than that.
          at ??= dateOf(result.response);
          return result;
        },
        { step: 'deserialize' },
      );
      const page = await client.send(command, { abortSignal });
      keys.push(...(page.AccessKeyMetadata ?? []).filter((key) => key.AccessKeyId !== undefined));
      marker = page.IsTruncated ? page.Marker : undefined;
    } while (marker !== undefined);
  } catch (error) {
    throw awsFault(`to list the access keys of the user "${userName}"`, error);
  }
  return { keys, at: at ?? new Date() };
}

/** RFC 9110 §6.6.1: in whole seconds, as a key's CreateDate is. */
function dateOf(response: unknown): Date | undefined {
  const { headers } = response as { headers?: Record<string, string | undefined> };
  const at = new Date(headers?.['date'] ?? '');
  return Number.isNaN(at.getTime()) ? undefined : at;
}
