import type { Port } from '@softnet/contract';
import type { Kernel } from '@softnet/kernel';
import type { Loop } from '../span.ts';
import { nsOf } from '../span.ts';
import type { Work } from '../work.ts';
import type { Adder, PortSort } from './adder.ts';
import { adderBundle, adderToken, DirectAdder } from './adder.ts';
import { virtualKernel } from './bench-kernel.ts';

const REPLACEMENTS = 10;
/** Calls between two replacements: enough for V8 to have optimised the caller for the build that is there. */
const CALLS_BETWEEN = 300_000;

/** Calls through a port of a kernel that was never replaced. */
export async function portCallLoop(sort: PortSort): Promise<Loop> {
  const { port } = await kernelWithAdder(sort);
  return callerOf(port);
}

/** The same after ten replacements by distinct bundles, each called hotly while it was there. */
async function replacedLoop(sort: PortSort): Promise<Loop> {
  const { kernel, port } = await kernelWithAdder(sort);
  const loop = callerOf(port);
  for (let build = 1; build <= REPLACEMENTS; build++) {
    loop(CALLS_BETWEEN);
    const { drained } = await kernel.replace('adder', adderBundle(sort, build));
    await drained;
  }
  if (kernel.module('adder')?.version !== `1.${REPLACEMENTS}.0`) throw new Error('the last build is not the one that is live');
  return loop;
}

async function kernelWithAdder(sort: PortSort): Promise<{ kernel: Kernel; port: Port<Adder> }> {
  const kernel = virtualKernel();
  const port = kernel.port(adderToken(sort));
  await kernel.load(adderBundle(sort, 0));
  return { kernel, port };
}

/** `port.current` is read at each call, as the contract asks. */
function callerOf(port: Port<Adder>): (n: number) => number {
  return (n) => {
    let last = 0;
    for (let i = 0; i < n; i++) last = port.current.add(i);
    return last;
  };
}

function directLoop(): Loop {
  const adder = new DirectAdder();
  return (n) => {
    let last = 0;
    for (let i = 0; i < n; i++) last = adder.add(i);
    return last;
  };
}

function portWork(name: string, summary: string, loop: () => Promise<Loop>): Work {
  return {
    name,
    summary,
    units: { ns: 'less' },
    subjects: [
      { name: 'softnet', measure: async () => nsOf(await loop()) },
      { name: 'direct', measure: () => nsOf(directLoop()) },
    ],
  };
}

export function portWorks(): Work[] {
  return [
    portWork('port-call', 'a call through a port (cell), never replaced', () => portCallLoop('cell')),
    portWork('port-call-replaced', 'the same after ten replacements by distinct bundles', () => replacedLoop('cell')),
    portWork('port-call-record', 'a call through a port that is a fixed record of functions', () => portCallLoop('record')),
    portWork('port-call-record-replaced', 'the same after ten replacements', () => replacedLoop('record')),
  ];
}
