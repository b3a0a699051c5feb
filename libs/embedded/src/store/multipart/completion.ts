import { S3Error } from '../s3-error.js';

/** One line of the list by which a client says what the object is made of. */
export interface ListedPart {
  partNumber: number;
  etag: string;
}

/** Reads a CompleteMultipartUpload document: parts in ascending order, each with its number and its ETag. */
export function parseCompletion(xml: string): ListedPart[] {
  const root =
    /^\s*(?:<\?xml[^>]*\?>)?\s*<CompleteMultipartUpload(?:\s[^>]*)?>(.*)<\/CompleteMultipartUpload>\s*$/s.exec(xml);
  const list = root?.[1] ?? '';
  const parts = [...list.matchAll(/<Part>(.*?)<\/Part>/gs)].map(([, part]) => parsePart(part!));
  const isWhole = list.replace(/<Part>.*?<\/Part>/gs, '').trim() === '';
  if (parts.length === 0 || parts.length > 10_000 || !isWhole) throw malformed();
  for (const [index, part] of parts.entries()) {
    if (index > 0 && part.partNumber <= parts[index - 1]!.partNumber) {
      throw new S3Error('InvalidPartOrder', 'The list of parts was not in ascending order.');
    }
  }
  return parts;
}

function parsePart(xml: string): ListedPart {
  const number = /<PartNumber>\s*(\d{1,5})\s*<\/PartNumber>/.exec(xml)?.[1];
  const etag = /<ETag>\s*(?:"|&quot;|&#34;)?([0-9a-f]{32})(?:"|&quot;|&#34;)?\s*<\/ETag>/.exec(xml)?.[1];
  if (number === undefined || etag === undefined) throw malformed();
  return { partNumber: Number(number), etag };
}

function malformed(): S3Error {
  return new S3Error('MalformedXML', 'The XML you provided was not well-formed or did not validate.');
}
