export { canCover, decide, type Grant, type Permission } from './decide.js';
export { lookupPathOf, lookupPaths } from './lookup-paths.js';
export { keyFault, isSegment, prefixFault, filenameFault } from './object-key.js';
