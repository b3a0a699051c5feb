export { type CountersignClient, type CountersignOptions, createCountersignClient } from './client.js';
export { CountersignError, type FieldError, type ProblemCode } from './countersign-error.js';
export type { components, paths } from './schema.js';
