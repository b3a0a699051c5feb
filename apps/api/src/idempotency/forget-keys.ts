import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { Database } from '@countersign/database';

const EVERY_MS = 60_000;

const AT_ONCE = 1_000;

/** Takes away, in every replica, what was kept under keys whose day is over. Until then nobody finds it any more anyway. */
@Injectable()
export class ForgetKeys implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #logger = new Logger('Idempotency');
  #timer: NodeJS.Timeout | undefined;
  #underWay: Promise<unknown> = Promise.resolve();

  constructor(private readonly database: Database) {}

  onApplicationBootstrap(): void {
    this.#timer = setInterval(() => {
      this.#underWay = this.#underWay
        .then(() => this.execute())
        .catch((error: unknown) => {
          this.#logger.warn({ msg: 'idempotency keys cannot be removed', err: error });
        });
    }, EVERY_MS);
  }

  async onModuleDestroy(): Promise<void> {
    clearInterval(this.#timer);
    await this.#underWay;
  }

  /** Gives their number. */
  async execute(): Promise<number> {
    let removed = 0;
    for (let some = AT_ONCE; some === AT_ONCE; removed += some) some = await this.#removeSome();
    return removed;
  }

  #removeSome(): Promise<number> {
    return this.database.asOperator(
      (transaction) => transaction.$executeRaw`
        DELETE FROM idempotency_keys k USING (
          SELECT tenant_id, subject, key FROM idempotency_keys
           WHERE expires_at <= now() ORDER BY expires_at LIMIT ${AT_ONCE} FOR UPDATE SKIP LOCKED) AS over
         WHERE k.tenant_id = over.tenant_id AND k.subject = over.subject AND k.key = over.key`,
    );
  }
}
