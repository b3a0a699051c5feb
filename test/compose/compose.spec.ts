import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { Config } from '@countersign/config';
import { parse } from 'yaml';

/** What is looked at here of the compose file's own schema; `npm run compose:lint` holds it against all of that. */
interface Service {
  image: string;
  environment: Record<string, string>;
  ports?: string[];
  healthcheck?: { test?: string[]; disable?: boolean };
  user?: string;
  privileged?: boolean;
}

const text = readFileSync('docker-compose.yml', 'utf8');
const { services } = parse(text, { merge: true }) as { services: Record<string, Service> };
const example = readFileSync('docker-compose.env.example', 'utf8');

/** As compose replaces them: `${NAME:?message}`, `${NAME:-default}`. */
const VARIABLE = /\$\{(?<name>\w+)(?::(?<kind>[?-])(?<rest>[^}]*))?\}/g;
const variables = [...text.matchAll(VARIABLE)].map(
  ({ groups }) => groups as { name: string; kind?: string; rest: string },
);

describe('docker-compose.yml', () => {
  it('has no default for anything secret: without a value it does not start', () => {
    const secrets = variables.filter(({ name }) => /PASSWORD|SECRET|KEY/.test(name));

    expect(secrets.length).toBeGreaterThanOrEqual(7);
    for (const { kind, rest } of secrets) expect([kind, rest]).toEqual(['?', expect.stringContaining('env.example')]);
    for (const { name, kind } of variables) expect([name, kind]).not.toEqual([name, undefined]);
  });

  it('asks for what docker-compose.env.example explains, and for nothing else; what is required stands there empty', () => {
    const explained = new Map([...example.matchAll(/^(\w+)=(.*)$/gm)].map(([, name, value]) => [name, value]));

    expect(new Set(explained.keys())).toEqual(new Set(variables.map(({ name }) => name)));
    for (const { name, kind } of variables) if (kind === '?') expect([name, explained.get(name)]).toEqual([name, '']);
  });

  it('gives the API an environment that it starts with in production, and never the owner', () => {
    const fill = (value: string) =>
      value.replaceAll(VARIABLE, (_, name: string, kind: string, rest: string) =>
        name === 'ENCRYPTION_KEYS' ? `1:${Buffer.alloc(32, 7).toString('base64')}` : kind === '?' ? 'filled0in' : rest,
      );
    const environment = Object.entries(services['api']?.environment ?? {}).map(([name, value]) => [name, fill(value)]);

    const config = new Config({ ...Object.fromEntries(environment), NODE_ENV: 'production', HOST: '0.0.0.0' });

    expect(config).toMatchObject({ allowInsecureEndpoints: false, metricsToken: null, corsOrigins: [] });
    expect(JSON.stringify(services['api'])).not.toMatch(/DATABASE_OWNER_PASSWORD|"DATABASE_URL"/);
    expect(JSON.stringify(services['storage'])).not.toMatch(/DATABASE_|ENCRYPTION/);
  });

  it('reaches outside on 127.0.0.1 only, names every version, and waits for what is healthy', () => {
    for (const [name, { image, ports = [], healthcheck, privileged }] of Object.entries(services)) {
      for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:\$\{\w+:-\d+\}:\d+$/);
      expect(image).toMatch(/:\d[\w.-]*$/);
      expect(privileged).toBeUndefined();
      if (name !== 'api') expect(healthcheck).toBeDefined();
    }
  });
});

describe('Dockerfile', () => {
  const dockerfile = readFileSync('Dockerfile', 'utf8');

  it('copies what is there and what .dockerignore lets through', () => {
    const allowed = readFileSync('.dockerignore', 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('!'));
    const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, files]) =>
      String(files).split(' '),
    );

    expect(copied).toContain('docs/errors.md');
    for (const file of copied) {
      expect([file, existsSync(file)]).toEqual([file, true]);
      expect([file, allowed.some((line) => `${file}/`.startsWith(`${line.slice(1)}/`))]).toEqual([file, true]);
    }
  });

  it('runs as a user without rights, in production, and says how it is', () => {
    const last = dockerfile.slice(dockerfile.lastIndexOf('FROM '));

    expect(last).toMatch(/^USER node$/m);
    expect(last).toMatch(/^ENV NODE_ENV=production /m);
    expect(last).toMatch(/^HEALTHCHECK /m);
    expect(last).toMatch(/^CMD \["node", (?:"--[^"]+", )*"dist\/apps\/api\/src\/main\.js"\]$/m);
    expect(last.indexOf('USER node')).toBeGreaterThan(last.lastIndexOf('COPY '));
  });
});
