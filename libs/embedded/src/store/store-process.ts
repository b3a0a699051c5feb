// The store's process: started by the supervisor, commanded over IPC, gone when its parent is gone.
import type { Command, Report } from './messages.js';
import { serveStore, type StoreServer } from './store-server.js';

let server: StoreServer | undefined;
let lastCommand = Promise.resolve();

async function obey(command: Command): Promise<void> {
  switch (command.type) {
    case 'start':
      server = await serveStore(command.config, (line) => void report({ type: 'log', line }));
      return report({ type: 'ready' });
    case 'stop':
      await server?.close();
      return process.exit(0);
    default:
      return command satisfies never;
  }
}

function report(message: Report): Promise<void> {
  return new Promise((resolve) => {
    if (process.connected) process.send!(message, undefined, undefined, () => resolve());
    else resolve();
  });
}

process.on('message', (command: Command) => {
  lastCommand = lastCommand
    .then(() => obey(command))
    .catch(async (error: unknown) => {
      await report({ type: 'failed', reason: String(error) });
      process.exit(1);
    });
});

// A store that outlived its parent would hold the port and answer the next one's requests with old keys.
process.on('disconnect', () => process.exit(0));
