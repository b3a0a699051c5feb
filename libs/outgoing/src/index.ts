export { headersOf, NoAnswer, Outgoing, type OutgoingAnswer, type OutgoingRequest, readWhole } from './outgoing.js';
export { OutgoingModule } from './outgoing.module.js';
export { insecurityOf } from './public-address.js';
