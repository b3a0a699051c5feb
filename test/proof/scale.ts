/** How much a proof tries: `full` for `npm run prove`, and `short` for everybody else, CI among them. */
export function scale<Amount>({ short, full }: { short: Amount; full: Amount }): Amount {
  return process.env['PROOF_SCALE'] === 'full' ? full : short;
}
