import { Global, Module } from '@nestjs/common';
import { Outgoing } from './outgoing.js';

/** One for the whole app: its rule and its connections are the installation's. */
@Global()
@Module({ providers: [Outgoing], exports: [Outgoing] })
export class OutgoingModule {}
