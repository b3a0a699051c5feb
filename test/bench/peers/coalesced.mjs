// "Coalesced": one SELECT for each request; the rows of concurrent requests go into one INSERT, which each of them awaits.
import { serve } from './serve.mjs';
import { APPEND_MANY, APPEND_UPLOADS, columnsOf, hasUpload } from './tables.mjs';

/** How many INSERTs may be under way at once: the second fills while the first is flushed. */
const AT_ONCE = 2;

await serve((write) => {
  let waiting = [];
  let underWay = 0;
  const flush = () => {
    if (waiting.length === 0 || underWay >= AT_ONCE) return;
    const batch = waiting;
    waiting = [];
    underWay++;
    const rows = batch.map(({ row }) => row);
    write(rows.some(hasUpload) ? APPEND_UPLOADS : APPEND_MANY, columnsOf(rows))
      .then(
        () => batch.forEach(({ resolve }) => resolve()),
        (error) => batch.forEach(({ reject }) => reject(error)),
      )
      .finally(() => {
        underWay--;
        flush();
      });
  };
  return (row) =>
    new Promise((resolve, reject) => {
      waiting.push({ row, resolve, reject });
      if (underWay < AT_ONCE) setImmediate(flush);
    });
});
