/** The newest migration that this code needs; a test holds it against prisma/migrations. */
export const LATEST_MIGRATION = '20261122080000_uploads_field_by_field';
