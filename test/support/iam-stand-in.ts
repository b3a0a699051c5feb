import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import type { CephAdmin } from '../../libs/signing-keys/src/key-issuers/ceph-admin.js';
import { type IamKey, IamError, IamUsers } from './iam-users.js';
import { errorXml, keyXml, lastUsedXml, pageXml, responseXml, resultXml } from './iam-xml.js';

export type IamAction =
  'CreateAccessKey' | 'ListAccessKeys' | 'UpdateAccessKey' | 'DeleteAccessKey' | 'GetAccessKeyLastUsed';

/**
 * What goes wrong with one call. Of `…-but-done` the thing was done all the same; `late` is done only once the client has given up; `stale`
 * answers with how things were that long ago.
 */
export type IamFault =
  | 'throttled'
  | 'denied'
  | 'unavailable'
  | 'unavailable-but-done'
  | 'silent'
  | 'silent-but-done'
  | 'late'
  | 'broken'
  | 'broken-but-done'
  | { staleMs: number };

/** A call that arrived, without any secret. */
export interface IamCall {
  action: IamAction;
  userName: string | undefined;
  /** That was asked for, or was made. */
  accessKeyId: string | undefined;
  fault: IamFault | null;
  /** What came of it, whatever the client was told: `done`, or IAM's code. */
  outcome: string;
}

/** Whom it believes. */
export const IAM_ADMIN = { accessKeyId: 'AKIAIAMADMIN', secretAccessKey: "the IAM admin's secret" };

/**
 * AWS IAM's access keys over HTTP, in the AWS Query protocol (IAM API Reference), with the faults and the lag that a test asks for. Its keys
 * really open and close access at a store, so that a canary of a key tells the truth.
 */
export class IamStandIn {
  /** In the order in which they took effect. */
  readonly calls: IamCall[] = [];
  /** How many keys a page of a list has. */
  pageSize = 100;
  readonly #faults = new Map<IamAction, IamFault[]>();
  readonly #server = http.createServer((request, response) => void this.#receive(request, response));

  private constructor(readonly users: IamUsers) {}

  /** @param store where the keys are made, and as whose. */
  static async start(store: CephAdmin, uid = 'embedded'): Promise<IamStandIn> {
    const standIn = new IamStandIn(new IamUsers(store, uid));
    standIn.#server.listen(0, '127.0.0.1');
    await once(standIn.#server, 'listening');
    return standIn;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The next calls of this action go wrong like this, one after the other; those after them go well. */
  script(action: IamAction, ...faults: IamFault[]): void {
    this.#faults.set(action, [...(this.#faults.get(action) ?? []), ...faults]);
  }

  /** The keys that were deleted, in order. */
  get deleted(): string[] {
    const deletions = this.calls.filter(({ action, outcome }) => action === 'DeleteAccessKey' && outcome === 'done');
    return deletions.map(({ accessKeyId }) => accessKeyId ?? '');
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await this.users.close();
  }

  async #receive(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const parameters = new URLSearchParams(Buffer.concat(chunks).toString());
    const action = parameters.get('Action') as IamAction;
    const fault = this.#faults.get(action)?.shift() ?? null;
    try {
      checkCaller(request);
      await this.#answer(action, parameters, fault, response);
    } catch (error) {
      const { status, code, message } =
        error instanceof IamError ? error : new IamError(500, 'ServiceFailure', String(error));
      send(response, status, errorXml(code, message));
    }
  }

  async #answer(
    action: IamAction,
    parameters: URLSearchParams,
    fault: IamFault | null,
    response: http.ServerResponse,
  ): Promise<void> {
    const act = () => this.#act(action, parameters, fault);
    switch (fault) {
      case null:
        return send(response, 200, await act());
      case 'throttled':
        return this.#refuse(action, parameters, fault, new IamError(400, 'Throttling', 'Rate exceeded'));
      case 'denied':
        return this.#refuse(action, parameters, fault, new IamError(403, 'AccessDenied', 'User: x is not authorized'));
      case 'unavailable':
        return this.#refuse(action, parameters, fault, new IamError(503, 'ServiceUnavailable', 'Try again'));
      case 'silent':
        return this.#record(action, parameters, fault, 'silent');
      case 'broken':
        this.#record(action, parameters, fault, 'broken');
        return void response.destroy();
      case 'unavailable-but-done':
        await act();
        throw new IamError(500, 'ServiceFailure', 'The request processing has failed because of an unknown error.');
      case 'silent-but-done':
        await act();
        return;
      case 'broken-but-done':
        await act();
        return void response.destroy();
      case 'late':
        await once(response, 'close');
        await act();
        return;
      default:
        return send(response, 200, await act());
    }
  }

  async #act(action: IamAction, parameters: URLSearchParams, fault: IamFault | null): Promise<string> {
    const userName = parameters.get('UserName') ?? '';
    const accessKeyId = parameters.get('AccessKeyId') ?? '';
    try {
      const staleMs = typeof fault === 'object' && fault ? fault.staleMs : 0;
      const [answer, made] = await this.#perform(action, userName, accessKeyId, parameters, staleMs);
      this.#record(action, parameters, fault, 'done', made?.accessKeyId);
      return answer;
    } catch (error) {
      this.#record(action, parameters, fault, error instanceof IamError ? error.code : String(error));
      throw error;
    }
  }

  async #perform(
    action: IamAction,
    userName: string,
    accessKeyId: string,
    parameters: URLSearchParams,
    staleMs: number,
  ): Promise<[string, IamKey?]> {
    switch (action) {
      case 'CreateAccessKey': {
        const key = await this.users.create(userName);
        return [resultXml(action, keyXml(key)), key];
      }
      case 'ListAccessKeys':
        return [resultXml(action, this.#page(userName, Number(parameters.get('Marker') ?? 0), staleMs))];
      case 'UpdateAccessKey':
        await this.users.update(userName, accessKeyId, parameters.get('Status') as IamKey['status']);
        return [responseXml(action, '')];
      case 'DeleteAccessKey':
        await this.users.delete(userName, accessKeyId);
        return [responseXml(action, '')];
      case 'GetAccessKeyLastUsed':
        return [resultXml(action, lastUsedXml(this.users.find(accessKeyId)))];
      default:
        throw new IamError(400, 'InvalidAction', `${String(action satisfies never)} is not in the stand-in.`);
    }
  }

  #page(userName: string, start: number, staleMs: number): string {
    const keys = this.users.shown(userName, staleMs);
    const end = start + this.pageSize;
    return pageXml(keys.slice(start, end), end < keys.length ? String(end) : null);
  }

  #refuse(action: IamAction, parameters: URLSearchParams, fault: IamFault, error: IamError): never {
    this.#record(action, parameters, fault, error.code);
    throw error;
  }

  #record(
    action: IamAction,
    parameters: URLSearchParams,
    fault: IamFault | null,
    outcome: string,
    accessKeyId = parameters.get('AccessKeyId') ?? undefined,
  ): void {
    const userName = parameters.get('UserName') ?? undefined;
    this.calls.push({ action, userName, accessKeyId, fault, outcome });
  }
}

function checkCaller({ headers }: http.IncomingMessage): void {
  const name = /Credential=([^/]+)\/\d{8}\/[\w-]+\/iam\/aws4_request/.exec(headers.authorization ?? '')?.[1];
  if (name === IAM_ADMIN.accessKeyId) return;
  throw new IamError(403, 'InvalidClientTokenId', 'The security token included in the request is invalid.');
}

function send(response: http.ServerResponse, status: number, xml: string): void {
  if (!response.destroyed) response.writeHead(status, { 'Content-Type': 'text/xml' }).end(xml);
}
