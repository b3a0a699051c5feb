import { readFileSync } from 'node:fs';

/** A JSON block of a document, with the heading that it stands under. */
export interface Example {
  heading: string;
  /** The last line of prose before it: `POST /issuers:`. */
  label: string;
  text: string;
}

/** Every JSON block of a document, in order. */
export function examplesOf(file: string): Example[] {
  const sections = readFileSync(file, 'utf8').split(/^#{2,} /m);
  return sections.flatMap((section) => {
    const heading = section.split('\n', 1)[0] ?? '';
    const blocks = [...section.matchAll(/^(?!`{3})(\S.*)\n\n```json\n([\s\S]*?)^```/gm)];
    return blocks.map(([, label = '', text = '']) => ({ heading, label, text }));
  });
}
