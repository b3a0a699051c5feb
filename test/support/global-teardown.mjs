import { rm } from 'node:fs/promises';

export default async function tearDown() {
  const { dir, postgres, store } = globalThis.embedded;
  await Promise.all([postgres.stop(), store?.stop()]);
  await rm(dir, { recursive: true, force: true });
}
