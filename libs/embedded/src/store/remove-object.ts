import { type Exchange, objectOf } from './exchange.js';

/** Takes an object away; that there was none is no error, unless a certain one was meant. */
export async function removeObject(exchange: Exchange): Promise<void> {
  const name = await objectOf(exchange);
  await exchange.store.remove(name, exchange.headers['if-match']);
  exchange.response.writeHead(204).end();
}
