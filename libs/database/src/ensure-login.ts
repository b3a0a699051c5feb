import pg from 'pg';

export type RuntimeRole = 'countersign_api' | 'countersign_issuer' | 'countersign_operator';

/**
 * Makes sure that the login named in `loginUrl` exists, has that password, and has the rights of this runtime role and no others.
 * Needs an owner who may create roles; where one may not, the database's administrator does the same by hand (docs/operations.md).
 */
export async function ensureLogin(ownerUrl: string, role: RuntimeRole, loginUrl: string): Promise<void> {
  const { username, password } = new URL(loginUrl);
  const login = decodeURIComponent(username);
  const client = new pg.Client({ connectionString: ownerUrl });
  await client.connect();
  try {
    await client.query('BEGIN');
    // Roles belong to the cluster: two installations may be at it at once.
    await client.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`countersign.login:${login}`]);
    const { rowCount } = await client.query('SELECT FROM pg_roles WHERE rolname = $1', [login]);
    const name = pg.escapeIdentifier(login);
    const attributes = 'LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS';
    const secret = pg.escapeLiteral(decodeURIComponent(password));
    await client.query(`${rowCount ? 'ALTER' : 'CREATE'} ROLE ${name} ${attributes} PASSWORD ${secret}`);
    await client.query(`GRANT ${role} TO ${name}`);
    await client.query('COMMIT');
  } finally {
    await client.end();
  }
}
