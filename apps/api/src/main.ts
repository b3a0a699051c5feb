import { Config, ConfigError } from '@countersign/config';
import { createApp } from './create-app.js';
import { serveDocuments } from './documents/documents.js';
import { drain } from './http/drain.js';

/** Starts the API, and ends it in order: no new requests, the answers under way, then the database. */
async function main(): Promise<void> {
  const config = new Config(process.env);
  const app = await createApp(config);
  serveDocuments(app);

  let stopping: Promise<void> | undefined;
  const stop = () => {
    stopping ??= drain(app.getHttpServer())
      .then(() => app.close())
      .then(
        () => process.exit(0),
        () => process.exit(1),
      );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  // Whoever started us as a child is gone.
  process.on('disconnect', stop);

  await app.listen(config.port, config.host);
  process.send?.('ready');
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof ConfigError || !(error instanceof Error) ? String(error) : error.stack}\n`);
  process.exit(1);
});
