import type { Protocol, SkbPool } from '@softnet/contract';
import { FlowKey, PacketMemory } from '@softnet/contract';
import { expect, test } from 'vitest';
import { dissectPorts, dstPort, setDstPort, setSrcPort, srcPort } from './ports.ts';

test('the first four bytes, host order, as Protocol.dissect wants them', () => {
  const memory = new PacketMemory(new Uint8Array(10), {} as SkbPool);
  setSrcPort(memory.view, 3, 0x1234);
  setDstPort(memory.view, 3, 0xfedc);
  expect([...memory.bytes]).toEqual([0, 0, 0, 0x12, 0x34, 0xfe, 0xdc, 0, 0, 0]);
  expect([srcPort(memory.view, 3), dstPort(memory.view, 3)]).toEqual([0x1234, 0xfedc]);
  const key = new FlowKey();
  const dissect: Protocol['dissect'] = dissectPorts;
  expect(dissect?.(memory, 3, 6, key)).toBe(false);
  expect([key.localPort, key.remotePort]).toEqual([0, 0]);
  expect(dissect?.(memory, 3, 7, key)).toBe(true);
  expect([key.localPort, key.remotePort]).toEqual([0xfedc, 0x1234]);
});
