import { Database } from '@countersign/database';
import type { Installation } from '../support/installation.js';

/** One answer of a batch. */
export interface ItemAnswer {
  status: number;
  body: Record<string, unknown> & { url?: string; code?: string; requestId?: string; issuanceId?: string };
}

export const itemsOf = ({ body }: { body: unknown }): ItemAnswer[] => (body as { items: ItemAnswer[] }).items;

/**
 * The hot path's statements that the database was sent during `work`, by name and with the number of requests in each; without those of
 * rotations, which any replica on this database may take up at any moment.
 */
export async function statementsOf(
  { app }: Installation,
  work: () => PromiseLike<unknown>,
): Promise<[name: string, requests: number][]> {
  const database = app.get(Database);
  const call = database.call.bind(database);
  const calls: [string, number][] = [];
  database.call = (name, requests, served) => {
    const isOurs = !requests.every((request) => 'rotationId' in request && request.rotationId);
    if (isOurs) calls.push([name, requests.length]);
    return call(name, requests, served);
  };
  try {
    await work();
  } finally {
    database.call = call;
  }
  return calls;
}

/** A string of JSON that is as long as it can be: every character as six bytes. */
export function escaped(text: string): string {
  const units = Array.from({ length: text.length }, (_, at) => text.charCodeAt(at).toString(16).padStart(4, '0'));
  return `"${units.map((unit) => `\\u${unit}`).join('')}"`;
}

/** An object as JSON in which even the names are escaped. */
export function escapedObject(fields: Record<string, string | number | boolean>): string {
  const members = Object.entries(fields).map(
    ([name, value]) => `${escaped(name)}:${typeof value === 'string' ? escaped(value) : value}`,
  );
  return `{${members.join(',')}}`;
}
