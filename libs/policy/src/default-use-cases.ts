import { MAX_EXPIRY_SECONDS, type UseCase } from './use-case.js';

const anyContent = {
  contentTypes: [],
  minContentLength: null,
  maxContentLength: null,
  overwrite: false,
  disposition: null,
  requireVerified: false,
};

/** What a new tenant starts with, as rows of its own that it may change. The ranges are the field's own recommendations. */
export const defaultUseCases: readonly UseCase[] = [
  {
    name: 'download',
    action: 'read',
    minExpirySeconds: 60,
    defaultExpirySeconds: 900,
    maxExpirySeconds: 3_600,
    ...anyContent,
  },
  {
    name: 'share',
    action: 'read',
    minExpirySeconds: 3_600,
    defaultExpirySeconds: 86_400,
    maxExpirySeconds: 86_400,
    ...anyContent,
  },
  {
    name: 'one-time',
    action: 'read',
    minExpirySeconds: 300,
    defaultExpirySeconds: 900,
    maxExpirySeconds: 3_600,
    ...anyContent,
  },
  {
    name: 'batch',
    action: 'any',
    minExpirySeconds: 60,
    defaultExpirySeconds: null,
    maxExpirySeconds: MAX_EXPIRY_SECONDS,
    ...anyContent,
  },
  {
    name: 'upload',
    action: 'write',
    minExpirySeconds: 300,
    defaultExpirySeconds: 900,
    maxExpirySeconds: 900,
    ...anyContent,
  },
];
