// "Bare": one SELECT, then one INSERT with a commit of its own, for each request.
import { serve } from './serve.mjs';
import { APPEND, APPEND_UPLOAD, hasUpload } from './tables.mjs';

await serve((write) => (row) => write(hasUpload(row) ? APPEND_UPLOAD : APPEND, row));
