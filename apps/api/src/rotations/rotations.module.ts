import { Logger, Module } from '@nestjs/common';
import { Database } from '@countersign/database';
import { LedgerModule } from '@countersign/ledger';
import { SigningModule } from '@countersign/signing';
import {
  CredentialSeal,
  KeyIssuers,
  LeasedRotations,
  ROTATION_TIMES,
  RotationRunner,
  SigningKeysModule,
} from '@countersign/signing-keys';
import { rotationLedger } from './rotation-ledger.js';
import { RotationWorker } from './rotation-worker.js';
import { RotationsController } from './rotations.controller.js';
import { Rotations } from './rotations.js';
import { StartRotation } from './start-rotation.js';
import { StoreProber } from './store-prober.js';

@Module({
  imports: [LedgerModule, SigningModule, SigningKeysModule],
  controllers: [RotationsController],
  providers: [
    Rotations,
    StartRotation,
    StoreProber,
    RotationWorker,
    { provide: RotationRunner, useFactory: toRunner, inject: [Database, KeyIssuers, StoreProber, CredentialSeal] },
  ],
  exports: [StartRotation],
})
export class RotationsModule {}

function toRunner(database: Database, keyIssuers: KeyIssuers, prober: StoreProber, seal: CredentialSeal) {
  const logger = new Logger('Rotations');
  return new RotationRunner({
    rotations: new LeasedRotations(database, rotationLedger, ROTATION_TIMES.leaseMs),
    keyIssuers,
    prober,
    seal,
    times: ROTATION_TIMES,
    onFault: ({ id, step }, error) => logger.error({ rotationId: id, step, err: error }),
  });
}
