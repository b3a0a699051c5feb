// `npm run audit`: does the registry know of a hole in what we install? Fails on one that is high or critical in what runs in production, or
// critical in what builds and tests it. Some mirrors answer no audits: that is said, loudly, and is no hole.
import { spawnSync } from 'node:child_process';

const FAILS_AT = { production: ['high', 'critical'], development: ['critical'] };

let isHoled = false;
for (const [what, levels] of Object.entries(FAILS_AT)) {
  const report = audit(what === 'production' ? ['--omit=dev'] : []);
  if (report.statusCode === 404 || report.statusCode === 405) {
    process.stdout.write(
      `NOT AUDITED: the registry answers ${report.statusCode} to audits. Ask one that does: npm run audit -- --registry <url>\n`,
    );
    break;
  }
  if (!report.vulnerabilities)
    throw new Error(`npm audit says: ${report.message ?? report.error?.summary ?? JSON.stringify(report)}`);
  const found = Object.values(report.vulnerabilities);
  const grave = found.filter(({ severity }) => levels.includes(severity));
  process.stdout.write(`${what}: ${found.length} known, ${grave.length} of them ${levels.join(' or ')}\n`);
  for (const { name, severity, range, via } of grave)
    process.stdout.write(`  ${severity}: ${name} ${range}: ${via.map((cause) => cause.url ?? cause).join(', ')}\n`);
  isHoled ||= grave.length > 0;
}
process.exitCode = isHoled ? 1 : 0;

/** npm's own report, whatever its exit code, which is not 0 where there is anything to report. */
function audit(options) {
  const { stdout, error } = spawnSync('npm', ['audit', '--json', ...options, ...process.argv.slice(2)], {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 ** 2,
  });
  if (error) throw error;
  return JSON.parse(stdout);
}
