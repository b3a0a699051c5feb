// `npm start`: builds what is not built yet, then starts; in production, the API and nothing else.
import './build.mjs';

stopWithParent();
await import(
  process.env.NODE_ENV === 'production' ? '../../dist/apps/api/src/main.js' : '../../dist/apps/local/src/main.js'
);

/** npm that is killed cannot tell us: who started us is then another. */
function stopWithParent() {
  const parent = process.ppid;
  if (process.env.npm_lifecycle_event !== 'start') return;
  setInterval(() => process.ppid !== parent && process.kill(process.pid, 'SIGTERM'), 500).unref();
}
