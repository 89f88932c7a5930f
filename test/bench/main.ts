import { fileURLToPath } from 'node:url';
import { bench } from './bench.ts';
import { deviceSuite } from './device/suite.ts';
import { answer, inChild, MEASURE } from './in-child.ts';
import { ipv6Suite } from './ipv6/suite.ts';
import { kernelSuite } from './kernel/suite.ts';
import { pathSuite } from './path/suite.ts';
import { routeSuite } from './route/suite.ts';
import { skbSuite } from './skb/suite.ts';
import { socketsSuite } from './sockets/suite.ts';
import { tcpSuite } from './tcp/suite.ts';
import { udpSuite } from './udp/suite.ts';
import type { Suite } from './work.ts';

/** All suites: a new one is a line here. */
function allSuites(): Suite[] {
  return [kernelSuite(), skbSuite(), pathSuite(), deviceSuite(), routeSuite(), ipv6Suite(), socketsSuite(), udpSuite(), tcpSuite()];
}

/** The command; or, where {@link inChild} started this process, one round of one subject. */
async function main([first, ...rest]: readonly string[]): Promise<void> {
  if (first === MEASURE) return answer(allSuites(), rest);
  const screen = { out: (line: string) => console.log(line), error: (line: string) => console.error(line) };
  const args = first === undefined ? [] : [first, ...rest];
  process.exitCode = await bench(args, allSuites(), inChild(fileURLToPath(import.meta.url)), screen);
}

await main(process.argv.slice(2));
