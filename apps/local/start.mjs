// `npm start`: builds what is not built yet, then starts; in production, the API and nothing else.
import './build.mjs';

// Node 20 is what we promise to run on: the SDK's advice to leave it is not the newcomer's business.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
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
