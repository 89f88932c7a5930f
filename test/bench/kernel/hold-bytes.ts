import { bytesKeptEach } from '../heap.ts';
import type { Work } from '../work.ts';
import { Connection, connections, OWNER, PlainConnection } from './holds.ts';

const COUNT = 100_000;

/** Bytes of an object that is held, less those of the same object without the fields of a hold. */
async function heldBytes(debug: boolean): Promise<number> {
  const objects = await connections('connection', { debug });
  const held = bytesKeptEach(COUNT, (things) => {
    for (let i = 0; i < COUNT; i++) {
      const object = new Connection();
      objects.hold(object, OWNER, 'bench.hold');
      things[i] = object;
    }
  });
  return held - plainBytes();
}

function plainBytes(): number {
  return bytesKeptEach(COUNT, (things) => {
    for (let i = 0; i < COUNT; i++) things[i] = new PlainConnection();
  });
}

function setBytes(): number {
  const set = new Set<unknown>();
  const inSet = bytesKeptEach(COUNT, (things) => {
    for (let i = 0; i < COUNT; i++) {
      things[i] = new PlainConnection();
      set.add(things[i]);
    }
  });
  if (set.size !== COUNT) throw new Error('the Set did not take them');
  return inSet - plainBytes();
}

function mapBytes(): number {
  const map = new Map<unknown, unknown>();
  const inMap = bytesKeptEach(COUNT, (things) => {
    for (let i = 0; i < COUNT; i++) {
      things[i] = new PlainConnection();
      map.set(things[i], { kind: 'connection', owner: OWNER, place: 'bench.hold', sinceCs: i | 0, holder: null });
    }
  });
  if (map.size !== COUNT) throw new Error('the Map did not take them');
  return inMap - plainBytes();
}

export function holdBytesWorks(): Work[] {
  return [
    {
      name: 'hold-bytes',
      summary: 'bytes of heap that a hold costs, over 100,000',
      units: { B: 'less' },
      note: 'set knows who is there and nothing else; map-of-records knows what a hold knows, less what is derived from it.',
      subjects: [
        { name: 'softnet', measure: async () => ({ B: await heldBytes(false) }) },
        { name: 'set', measure: () => ({ B: setBytes() }) },
        { name: 'map-of-records', measure: () => ({ B: mapBytes() }) },
      ],
    },
    {
      name: 'hold-bytes-debug',
      summary: 'the same in a debug kernel, which keeps the stack of each',
      units: { B: 'less' },
      subjects: [{ name: 'softnet', measure: async () => ({ B: await heldBytes(true) }) }],
    },
  ];
}
