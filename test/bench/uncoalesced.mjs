// Preloaded into our API (`node --import`) for one comparison only: every request is a batch of its own at once, and nobody waits or shares.
// The product has no such switch.
import { Coalescer } from '../../dist/libs/database/src/index.js';

Coalescer.prototype.request = async function request(asked) {
  return (await this.requestAll([asked]))[0];
};

Coalescer.prototype.requestAll = async function requestAll(asked) {
  if (typeof this.load !== 'function')
    throw new Error('the coalescer has changed: test/bench/uncoalesced.mjs must follow');
  return this.load(asked);
};
