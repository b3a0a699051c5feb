import { Example } from '../http/fields.js';

@Example<Health>({ status: 'ok' })
export class Health {
  status!: 'ok';
}
