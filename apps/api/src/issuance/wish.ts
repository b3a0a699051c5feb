import type { Terms, UploadRecord } from '@countersign/ledger';
import type { Terms as PolicyTerms, WantedContent } from '@countersign/policy';
import type { Bucket } from '@countersign/tenancy';
import type { Question } from './question.js';

/** What every issuance has, before it is known whether it is a download's or an upload's. */
export interface Place {
  /** An upload pins it. */
  issuanceId: string;
  /** The object's address; for a form, the bucket's. */
  url: string;
  region: string;
  bucket: Bucket;
  /** With the bucket's prefix: the object's at the store. */
  storeKey: string;
  issuedAt: number;
  expiresInSeconds: number;
  signingKeyId: string;
}

/** What somebody wants a URL for, and what a download and an upload differ in. */
export interface Wish extends Question {
  expiresInSeconds: number | null;
  /** Whether it is to be the same URL as that of equal wishes of the same time. */
  isStable: boolean;
  /** What the policy looks at beyond the expiry. */
  content: WantedContent;
  /** What the ledger notes beyond it. */
  details: Record<string, unknown> | null;
  /** What is signed, once it is known to be allowed. */
  terms(place: Place, terms: PolicyTerms): Terms;
  /** Of an upload: the row that it begins. */
  upload?(place: Place, terms: PolicyTerms, requireVerified: boolean): UploadRecord;
}
