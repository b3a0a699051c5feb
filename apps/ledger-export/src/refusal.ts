/** It was not done, and the text says why and what to do. */
export class Refusal extends Error {}
