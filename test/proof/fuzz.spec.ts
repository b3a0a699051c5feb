import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { install, type Installation } from '../support/installation.js';
import { addressOf, type Operation, operations } from './document.js';
import { Contract } from './fuzz/conforms.js';
import { encodeQuery, nearlyValid, type Shot, valid, wild } from './fuzz/requests.js';
import { type Reply, Sender } from './fuzz/send.js';
import { Targets } from './fuzz/targets.js';
import { type Credential, credentials, goodToken, refused } from './fuzz/tokens.js';
import { proof } from './record.js';
import { scale } from './scale.js';

/** In short always the same, so that what turns red is the change; it once found a list in place of an item. */
const SHORT_SEED = 2_122_403_274;

/** PROOF_SEED=<seed> shoots the same again, and PROOF_PATH=<path> begins with the one that fast-check named. */
const seed = Number(process.env['PROOF_SEED'] ?? scale({ short: SHORT_SEED, full: randomInt(2 ** 31) }));
const path = process.env['PROOF_PATH'];

const KINDS = {
  valid: { requests: valid, runs: { short: 3, full: 40 } },
  'nearly valid': { requests: nearlyValid, runs: { short: 6, full: 100 } },
  wild: { requests: wild, runs: { short: 3, full: 40 } },
};

const conforming = proof(
  'Every answer is one that openapi.json describes, whatever was sent, and none is our fault',
  'valid, nearly valid and wild requests to every operation, with tokens of every kind; a token altered, cut or dropped',
  'structureFault taken out of json.ts; a field that no schema names in an answer; a token’s signature compared leniently',
);

describe(`Whatever is sent to the API (PROOF_SEED=${seed})`, () => {
  let installation: Installation;
  let targets: Targets;
  let sender: Sender;
  let cases = 0;
  const contract = new Contract();
  const seen = new Map<string, Set<number>>(operations.map(({ id }) => [id, new Set()]));

  beforeAll(async () => {
    installation = await install();
    targets = await Targets.make(installation);
    sender = new Sender((installation.app.getHttpServer().address() as { port: number }).port);
  }, 120_000);
  afterAll(() => {
    sender.close();
    return installation.close();
  });

  const shoot = async (operation: Operation, shot: Shot, authorization: Credential): Promise<Reply> => {
    const query = encodeQuery(shot.query);
    const type = shot.contentType === null ? [] : [['Content-Type', shot.contentType] as const];
    const bytes = shot.body?.startsWith('hex:') ? Buffer.from(shot.body.slice(4), 'hex') : Buffer.from(shot.body ?? '');
    const wire = {
      method: operation.method.toUpperCase(),
      path: `${addressOf(operation, shot.parameter)}${query === '' ? '' : `?${query}`}`,
      headers: [...authorization.map((value) => ['Authorization', value] as const), ...type, ...shot.headers],
      body: shot.body === null ? null : bytes,
    };
    const first = await sender.send(wire);
    cases++;
    // Whose machine is busy is told to come again; what is the request's own fault is the same then.
    const isBusy = first.status === 503 && first.headers['retry-after'] !== undefined;
    if (isBusy) await sleep(Number(first.headers['retry-after']) * 1_000);
    const reply = isBusy ? await sender.send(wire) : first;
    seen.get(operation.id)?.add(reply.status);
    return reply;
  };

  const run = <Values extends [unknown, ...unknown[]]>(
    property: fc.IAsyncProperty<Values>,
    numRuns: number,
    examples: Values[] = [],
  ) =>
    fc.assert(property, {
      seed,
      numRuns,
      examples,
      ...(path === undefined ? {} : { path }),
      interruptAfterTimeLimit: 240_000,
      markInterruptAsFailure: true,
    });

  for (const [kind, { requests, runs }] of Object.entries(KINDS)) {
    it.each(operations)(
      `is answered as the document says: $id, ${kind}`,
      async (operation) => {
        const shots = requests(operation, targets.knownFor(operation));
        const property = fc.asyncProperty(shots, credentials(operation, targets), async (shot, credential) => {
          const reply = await shoot(operation, shot, credential);
          const faults = leadsNowhere(operation, shot)
            ? contract.strayFaultsOf(reply)
            : contract.faultsOf(operation, reply);
          expect(faults).toEqual([]);
        });
        const example = [targets.exampleFor(operation), [`Bearer ${goodToken(operation, targets)}`]] as [
          Shot,
          Credential,
        ];
        await run(property, scale(runs), kind === 'valid' ? [example] : []);
      },
      300_000,
    );
  }

  it.each(operations.filter(({ scope }) => scope !== null))(
    'is answered 401 with a token that is altered, cut or dropped: $id',
    async (operation) => {
      const known = targets.knownFor(operation);
      const shots = fc.oneof(valid(operation, known), nearlyValid(operation, known), wild());
      const property = fc.asyncProperty(shots, refused(operation, targets), async (shot, credential) => {
        fc.pre(!leadsNowhere(operation, shot));
        expect((await shoot(operation, shot, credential)).status).toBe(401);
      });
      await run(property, scale({ short: 6, full: 60 }));
    },
    300_000,
  );

  it('came as far as it was meant to', () => {
    // Without this, requests that are all refused at the door would prove nothing of what is behind it.
    const never = operations.filter(({ id }) => ![...(seen.get(id) ?? [])].some((status) => status < 300));
    expect(never.map(({ id }) => id)).toEqual([]);
    conforming.record({ cases, figure: `0 answers that the document does not have (seed ${seed})` });
  });
});

/** Whether it comes to no operation: by a path that is no UTF-8, or no one segment of it, or by an address that is larger than what Node reads. */
function leadsNowhere({ path }: Operation, { parameter, query }: Shot): boolean {
  const hasParameter = path.includes('{');
  if ((hasParameter ? parameter.length : 0) + encodeQuery(query).length > 12_000) return true;
  if (!hasParameter) return false;
  try {
    return parameter === '' || decodeURIComponent(parameter).length > 512;
  } catch {
    return true;
  }
}
