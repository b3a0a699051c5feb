import { readPromises } from './body-digests.js';
import { bodyLengthOf, metadataOf, objectOf, wantsNew, type Exchange } from './exchange.js';

/** Stores an object once its whole body has arrived and is what the signature and the headers promised. */
export async function putObject(exchange: Exchange): Promise<void> {
  const { request, response, headers, payloadHash, store } = exchange;
  const name = await objectOf(exchange);
  const promises = readPromises(headers, payloadHash);
  const isNew = wantsNew(exchange);
  bodyLengthOf(exchange);
  if (isNew) await store.refuseIfExists(name);

  const staged = await store.stage(request, promises);
  await store.commit(staged, name, { metadata: metadataOf(headers), isNew });
  response.writeHead(200, { ETag: `"${staged.md5Hex}"`, 'Content-Length': 0 }).end();
}
