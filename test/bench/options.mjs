// The command line of the three programs.
import { parseArgs } from 'node:util';

/** Ends the process where it cannot be read, or only help was asked for. */
export function readOptions(help, options) {
  try {
    const { values } = parseArgs({ options: { ...options, help: { type: 'boolean', default: false } } });
    for (const [name, text] of Object.entries(values))
      if (options[name]?.isNumber && !(Number(text) > 0)) throw new Error(`--${name} must be a number above 0`);
    if (!values.help) return values;
    process.stdout.write(`${help}\n`);
    return process.exit(0);
  } catch (error) {
    process.stderr.write(`${error.message}\n\n${help}\n`);
    return process.exit(2);
  }
}
