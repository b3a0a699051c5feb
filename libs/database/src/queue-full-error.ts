/** So many requests wait for the database that another one would only wait in vain: the same call may succeed in a moment. */
export class QueueFullError extends Error {
  constructor(queued: number) {
    super(`${queued} requests wait for the database already`);
    this.name = 'QueueFullError';
  }
}
