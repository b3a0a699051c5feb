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
    const { rows } = await client.query<{ isPrivileged: boolean }>(
      'SELECT rolsuper OR rolcreatedb OR rolcreaterole OR rolbypassrls AS "isPrivileged" FROM pg_roles WHERE rolname = $1',
      [login],
    );
    const [known] = rows;
    const name = pg.escapeIdentifier(login);
    // Only a superuser may name these in ALTER ROLE, even to leave them as they are; most owners are none.
    const unprivileged = known?.isPrivileged === false ? '' : 'NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS';
    const secret = pg.escapeLiteral(decodeURIComponent(password));
    await client.query(`${known ? 'ALTER' : 'CREATE'} ROLE ${name} LOGIN ${unprivileged} PASSWORD ${secret}`);
    await client.query(`GRANT ${role} TO ${name}`);
    await client.query('COMMIT');
  } finally {
    await client.end();
  }
}
