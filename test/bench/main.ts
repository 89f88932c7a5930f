import { fileURLToPath } from 'node:url';
import { bench } from './bench.ts';
import { answer, inChild, MEASURE } from './in-child.ts';
import { kernelSuite } from './kernel/suite.ts';
import type { Suite } from './work.ts';

/** All suites: a new one is a line here. */
function allSuites(): Suite[] {
  return [kernelSuite()];
}

const [first, ...rest] = process.argv.slice(2);
if (first === MEASURE) await answer(allSuites(), rest);
else {
  const screen = { out: (line: string) => console.log(line), error: (line: string) => console.error(line) };
  process.exitCode = await bench(process.argv.slice(2), allSuites(), inChild(fileURLToPath(import.meta.url)), screen);
}
