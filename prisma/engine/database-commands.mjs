import { createDatabase, databaseName, dropDatabase, withClient } from './postgres.mjs';

const commands = {
  'can-connect-to-database': (url) => withClient(url, (client) => client.query('SELECT 1')),
  'create-database': createDatabase,
  'drop-database': dropDatabase,
};

/**
 * Runs one `schema-engine cli …` command and sets the exit code. Of a failure the CLI reads the error code (it makes the
 * database on P1003) from one JSON line on stderr.
 */
export async function runDatabaseCommand(command, url) {
  try {
    if (!commands[command]) throw new Error(`unknown command: ${command}`);
    await commands[command](url);
  } catch (error) {
    const fields = describe(error, url);
    // The CLI skips the first line, where the native engine has something else.
    process.stderr.write(`\n${JSON.stringify({ level: 'ERROR', target: 'schema_engine::logger', fields })}\n`);
    process.exitCode = 1;
  }
}

/** PostgreSQL's error in the codes of Prisma's error reference ("Common", P1000 to P1003). */
function describe(error, url) {
  const { hostname, port, username } = new URL(url);
  switch (error.code) {
    case '3D000':
      return { error_code: 'P1003', message: `Database \`${databaseName(url)}\` does not exist` };
    case '28000':
    case '28P01':
      return { error_code: 'P1000', message: `Authentication failed for the user \`${username}\`: ${error.message}` };
    default:
      return {
        error_code: 'P1001',
        message: `Can't reach database server at \`${hostname}:${port || 5432}\`: ${error.message || error.code}`,
      };
  }
}
