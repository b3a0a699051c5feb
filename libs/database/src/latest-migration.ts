/** The newest migration that this code needs; a test holds it against prisma/migrations. */
export const LATEST_MIGRATION = '20261122090000_said_once';
