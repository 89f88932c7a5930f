import type { ModuleContext, Objects, Owner } from '@softnet/contract';
import { Held } from '@softnet/contract';
import type { KernelOptions } from '@softnet/kernel';
import type { Loop } from '../span.ts';
import { nsOf } from '../span.ts';
import type { Work } from '../work.ts';
import { probe, virtualKernel } from './bench-kernel.ts';

/** Objects in the pool, half of which are held at any time. A power of two. */
const POOL = 1024;
const HELD = POOL / 2;

export class Connection extends Held {
  localPort = 0;
  remotePort = 0;
  peer: object | null = null;
}

/** The same without the fields of a hold. */
export class PlainConnection {
  localPort = 0;
  remotePort = 0;
  peer: object | null = null;
}

/** A kind of objects in a kernel of its own. */
export async function connections(kind = 'connection', options: KernelOptions = {}): Promise<Objects<Connection>> {
  const context: ModuleContext = await probe(virtualKernel(options));
  const objects: Objects<Connection> = context.objects<Connection>(kind, { drain: 'wait', close: (object) => objects.release(object) });
  return objects;
}

export const OWNER: Readonly<Owner> = Object.freeze({ name: 'bench' });

/** Releases the oldest and holds another one: a ring of 512. */
export async function holdLoop(): Promise<Loop> {
  const objects = await connections();
  const pool = Array.from({ length: POOL }, () => new Connection());
  for (const object of pool.slice(0, HELD)) objects.hold(object, OWNER, 'bench.hold');
  let at = 0;
  return (n) => {
    for (let i = 0; i < n; i++, at = (at + 1) & (POOL - 1)) {
      objects.release(pool[at]!);
      objects.hold(pool[(at + HELD) & (POOL - 1)]!, OWNER, 'bench.hold');
    }
    return objects.count;
  };
}

async function deriveLoop(): Promise<Loop> {
  const objects = await connections();
  const holders = Array.from({ length: HELD }, () => new Connection());
  const pool = Array.from({ length: POOL }, () => new Connection());
  for (const holder of holders) objects.hold(holder, OWNER, 'bench.hold');
  for (const [index, object] of pool.slice(0, HELD).entries()) objects.derive(object, holders[index]!, 'bench.derive');
  let at = 0;
  return (n) => {
    for (let i = 0; i < n; i++, at = (at + 1) & (POOL - 1)) {
      objects.release(pool[at]!);
      objects.derive(pool[(at + HELD) & (POOL - 1)]!, holders[at & (HELD - 1)]!, 'bench.derive');
    }
    return objects.count;
  };
}

function setLoop(): Loop {
  const objects = new Set<PlainConnection>();
  const pool = Array.from({ length: POOL }, () => new PlainConnection());
  for (const object of pool.slice(0, HELD)) objects.add(object);
  let at = 0;
  return (n) => {
    for (let i = 0; i < n; i++, at = (at + 1) & (POOL - 1)) {
      objects.delete(pool[at]!);
      objects.add(pool[(at + HELD) & (POOL - 1)]!);
    }
    return objects.size;
  };
}

/** In the Set of all, and in its holder's. */
function twoSetsLoop(): Loop {
  const objects = new Set<PlainConnection>();
  const pool = Array.from({ length: POOL }, () => new PlainConnection());
  const derived = Array.from({ length: HELD }, (_none, index) => new Set([pool[index]!]));
  for (const object of pool.slice(0, HELD)) objects.add(object);
  let at = 0;
  return (n) => {
    for (let i = 0; i < n; i++, at = (at + 1) & (POOL - 1)) {
      const ofHolder = derived[at & (HELD - 1)]!;
      const [old, young] = [pool[at]!, pool[(at + HELD) & (POOL - 1)]!];
      objects.delete(old);
      ofHolder.delete(old);
      objects.add(young);
      ofHolder.add(young);
    }
    return objects.size;
  };
}

export function holdWorks(): Work[] {
  return [
    {
      name: 'hold',
      summary: 'a hold is taken and another one released, among 512',
      units: { ns: 'less' },
      note: 'set-add-delete knows who is there, and nothing of owner, place, age and kind.',
      subjects: [
        { name: 'softnet', measure: async () => nsOf(await holdLoop()) },
        { name: 'set-add-delete', measure: () => nsOf(setLoop()) },
      ],
    },
    {
      name: 'hold-derived',
      summary: 'the same for holds derived from 512 root holds',
      units: { ns: 'less' },
      note: 'set-add-delete: one Set for all, and one for each holder.',
      subjects: [
        { name: 'softnet', measure: async () => nsOf(await deriveLoop()) },
        { name: 'set-add-delete', measure: () => nsOf(twoSetsLoop()) },
      ],
    },
  ];
}
