// The proofs as a table: of Markdown for docs/proofs.md, and of text for a terminal.

const HEADINGS = ['promise', 'attack', 'cases', 'figure', 'seen to fail with'];

export function table(proofs) {
  const rows = proofs.map((proof) => cellsOf(proof).map((cell) => cell.replaceAll('|', '\\|')));
  return [HEADINGS, ['---', '---', '---:', '---', '---'], ...rows]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');
}

/** Without the mutations, which docs/proofs.md has; each cell folded to its column. */
export function textTable(proofs) {
  const columns = Math.max(100, process.stdout.columns ?? 0);
  const wide = Math.floor((columns - 22) / 3);
  const widths = [wide, wide, 10, wide];
  const rows = [HEADINGS, ...proofs.map(cellsOf)].map((cells) => widths.map((width, at) => folded(cells[at], width)));
  const ruled = rows.map((cells) => {
    const height = Math.max(...cells.map((lines) => lines.length));
    return Array.from({ length: height }, (_, line) =>
      cells
        .map((lines, at) => (lines[line] ?? '').padEnd(widths[at]))
        .join('  ')
        .trimEnd(),
    ).join('\n');
  });
  return ruled.join('\n\n');
}

const cellsOf = ({ promise, attack, cases, figure, mutation }) => [
  promise,
  attack,
  cases.toLocaleString('en'),
  figure,
  mutation,
];

function folded(text, width) {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1);
    if (line !== '' && line.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines;
}
