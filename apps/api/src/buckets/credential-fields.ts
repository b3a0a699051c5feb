import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { Matches } from 'class-validator';

/** The document names the pattern, too. */
const isLike = (pattern: RegExp, message: string) =>
  applyDecorators(ApiProperty({ pattern: pattern.source }), Matches(pattern, { message }));

export const IsAccessKeyId = () =>
  isLike(/^[\x21-\x7e]{3,128}$/, 'accessKeyId must be 3 to 128 printable ASCII characters');

export const IsSecretAccessKey = () =>
  isLike(/^[\x21-\x7e]{8,256}$/, 'secretAccessKey must be 8 to 256 printable ASCII characters');

export const IsSessionToken = () =>
  isLike(/^[\x21-\x7e]{1,4096}$/, 'sessionToken must be 1 to 4,096 printable ASCII characters');

export const IsRegion = () => isLike(/^[a-z0-9][a-z0-9-]{0,62}$/, 'region must be a region such as "eu-central-1"');
