import { randomUUID } from 'node:crypto';
import type { IamKey } from './iam-users.js';

// The AWS Query protocol's answers, as the IAM API Reference shows them.

const element = (name: string, content: string): string => `<${name}>${content}</${name}>`;

export function responseXml(action: string, result: string): string {
  const metadata = element('ResponseMetadata', element('RequestId', randomUUID()));
  return `<${action}Response xmlns="https://iam.amazonaws.com/doc/2010-05-08/">${result}${metadata}</${action}Response>`;
}

export const resultXml = (action: string, result: string): string =>
  responseXml(action, element(`${action}Result`, result));

export function errorXml(code: string, message: string): string {
  const error = element('Error', `<Type>Sender</Type>${element('Code', code)}${element('Message', message)}`);
  return `<ErrorResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">${error}</ErrorResponse>`;
}

/** IAM's times are whole seconds. */
const timeXml = (name: string, at: number): string => element(name, new Date(at).toISOString().replace(/\.\d+/, ''));

function metadataXml({ userName, accessKeyId, status, createdAt }: IamKey): string {
  const texts = { UserName: userName, AccessKeyId: accessKeyId, Status: status };
  const elements = Object.entries(texts).map(([name, text]) => element(name, text));
  return `${elements.join('')}${timeXml('CreateDate', createdAt)}`;
}

export function lastUsedXml({ userName, usedAt }: IamKey): string {
  const never = '<ServiceName>N/A</ServiceName><Region>N/A</Region>';
  const used = `<ServiceName>s3</ServiceName><Region>us-east-1</Region>${timeXml('LastUsedDate', usedAt ?? 0)}`;
  return `${element('UserName', userName)}${element('AccessKeyLastUsed', usedAt === undefined ? never : used)}`;
}

/** The only answer that has a secret in it. */
export const keyXml = (key: IamKey): string =>
  element('AccessKey', `${metadataXml(key)}${element('SecretAccessKey', key.secretAccessKey)}`);

export function pageXml(keys: IamKey[], marker: string | null): string {
  const members = keys.map((key) => element('member', metadataXml(key)));
  const more = marker === null ? '' : element('Marker', marker);
  return `${element('AccessKeyMetadata', members.join(''))}${element('IsTruncated', String(marker !== null))}${more}`;
}
