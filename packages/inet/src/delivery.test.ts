import type { SocketDemux as Demux, ErrorReport, FlowKey, NetworkLayer, Protocol, Skb, SockCommon } from '@softnet/contract';
import * as contract from '@softnet/contract';
import { REFUSAL, SocketDemux } from '@softnet/contract';
import { appendFragment, makePool, put } from '@softnet/skb';
import { beforeEach, describe, expect, test } from 'vitest';
import { Delivery } from './delivery.ts';
import { LayerHooks } from './layer-hooks.ts';
import { FakeContext } from './testing/fake-context.ts';

const UDP = 17;
const pool = makePool();
let fake: FakeContext;
let delivery: Delivery;
let calls: string[];
/** What the flow table says, and what it was asked. */
let known: boolean;
let asked: FlowKey[];
let found: SockCommon | null;

beforeEach(() => {
  fake = new FakeContext();
  calls = [];
  known = false;
  asked = [];
  found = null;
  const demux: Partial<Demux> = {
    deliver: (skb, key) => {
      asked.push({ ...key });
      calls.push(`demux as ${fake.current.id}`);
      if (known) pool.release(skb);
      return known;
    },
    find: (key) => {
      asked.push({ ...key });
      return found;
    },
  };
  fake.provide(SocketDemux, demux as Demux, 50);
  const layer: Partial<NetworkLayer> = {
    readKey: (skb, key) => {
      key.local3 = skb.memory.bytes[skb.network]!;
      key.remote3 = skb.memory.bytes[skb.network + 1]!;
    },
    refuse: (_skb, refusal) => void calls.push(`refused ${refusal}`),
  };
  const reasons = { noProtocol: fake.dropReason('no-protocol'), noPorts: fake.dropReason('no-ports') };
  delivery = new Delivery(fake.context, layer as NetworkLayer, reasons);
});

/** Two bytes of header, local 5 and remote 6; then ports, the first `inHead` bytes of them in the head. */
function packet(inHead = 8): Skb {
  const skb = pool.alloc(64, 64)!;
  skb.network = put(skb, 2);
  skb.memory.bytes.set([5, 6], skb.network);
  const ports = [0, 70, 0, 80, 0, 12, 0, 0, 1, 2, 3, 4];
  skb.memory.bytes.set(ports.slice(0, inHead), put(skb, inHead));
  skb.data += 2;
  skb.len -= 2;
  skb.transport = skb.data;
  const page = pool.page(ports.length - inHead)!;
  page.memory.bytes.set(ports.slice(inHead), page.offset);
  appendFragment(skb, page);
  return skb;
}

function protocol(parts: Partial<Protocol> = {}): Protocol {
  return {
    ...{ name: 'udp', number: UDP, input: null, error: null, gro: null, segment: null },
    dissect: (memory, offset, endOffset, key) => {
      calls.push(`dissect as ${fake.current.id}`);
      if (endOffset - offset < 4) return false;
      key.remotePort = memory.view.getUint16(offset);
      key.localPort = memory.view.getUint16(offset + 2);
      return true;
    },
    ...parts,
  };
}

const door = (name: string) => ({
  number: UDP,
  unmatched: (skb: Skb) => {
    calls.push(`${name} as ${fake.current.id}`);
    pool.release(skb);
  },
});

describe('a packet', () => {
  test('goes to the socket that has its flow, wherever its ports lie', () => {
    fake.point(contract.Protocol).add(protocol(), 11);
    known = true;
    for (const inHead of [8, 0, 3, 12]) delivery.deliver(packet(inHead), UDP);
    expect(asked).toMatchObject(new Array(4).fill({ local3: 5, remote3: 6, localPort: 80, remotePort: 70 }));
    expect(calls.slice(0, 2)).toEqual(['dissect as 11', 'demux as 50']);
    expect([fake.current.id, pool.skbsOut]).toEqual([0, 0]);
  });

  test('of no flow goes to tables, then to the newest door', () => {
    const tables = (name: string, takes: boolean) =>
      protocol({
        input: (skb) => {
          calls.push(`${name} as ${fake.current.id}`);
          if (takes) pool.release(skb);
          return takes;
        },
      });
    fake.point(contract.Protocol).add(tables('old tables', false), 11);
    fake.point(contract.Protocol).add(tables('young tables', false), 12);
    fake.point(contract.ProtocolDoor).add(door('old door'), 11);
    fake.point(contract.ProtocolDoor).add(door('young door'), 12);
    delivery.deliver(packet(), UDP);
    expect(calls).toEqual(['dissect as 11', 'demux as 50', 'old tables as 11', 'young tables as 12', 'young door as 12']);
    fake.point(contract.Protocol).add(tables('youngest tables', true), 13);
    calls = [];
    delivery.deliver(packet(), UDP);
    expect(calls.at(-1)).toBe('youngest tables as 13');
    expect([fake.current.id, pool.skbsOut]).toEqual([0, 0]);
  });

  test('of a protocol whose door is shut is dropped in silence; of none, is refused', () => {
    fake.point(contract.Protocol).add(protocol(), 11);
    delivery.deliver(packet(), UDP);
    expect([calls.includes(`refused ${REFUSAL.PROTOCOL_UNREACHABLE}`), fake.drops]).toEqual([false, { 'no-ports': 1 }]);
    delivery.deliver(packet(), 99);
    expect([calls.at(-1), fake.drops]).toEqual([`refused ${REFUSAL.PROTOCOL_UNREACHABLE}`, { 'no-ports': 1, 'no-protocol': 1 }]);
    expect(pool.skbsOut).toBe(0);
  });

  test('that is too short for ports is not looked up', () => {
    fake.point(contract.Protocol).add(protocol(), 11);
    const skb = packet(2);
    pool.release(skb);
    const short = pool.alloc(64, 64)!;
    short.network = put(short, 2);
    short.data += 2;
    short.len -= 2;
    put(short, 3);
    short.transport = short.data;
    delivery.deliver(short, UDP);
    expect([asked.length, fake.drops]).toEqual([0, { 'no-ports': 1 }]);
  });
});

describe('an error', () => {
  const report = new contract.ErrorReport();

  test('goes to the socket that sent, by the key turned round', () => {
    fake.point(contract.Protocol).add(protocol(), 11);
    const told: [Skb | null, ErrorReport][] = [];
    found = {
      holdKind: { owner: 77 },
      ops: { error: (_sock: SockCommon, skb: Skb | null, of: ErrorReport) => told.push([skb, of]) },
    } as never;
    const skb = packet();
    expect(delivery.report(skb, UDP, report)).toBe(true);
    expect(asked).toMatchObject([{ local3: 6, remote3: 5, localPort: 70, remotePort: 80 }]);
    expect(told).toEqual([[skb, report]]);
    expect(fake.current.id).toBe(0);
    pool.release(skb);
  });

  test('of no flow goes to the tables of each generation, until one knows it', () => {
    for (const owner of [11, 12, 13]) {
      const error = (): boolean => {
        calls.push(`error as ${fake.current.id}`);
        return owner === 12;
      };
      fake.point(contract.Protocol).add(protocol({ dissect: null, error }), owner);
    }
    const skb = packet();
    expect(delivery.report(skb, UDP, report)).toBe(true);
    expect(calls).toEqual(['error as 11', 'error as 12']);
    pool.release(skb);
  });

  test('that nobody knows, or whose socket says that it did not send that, is not to be believed', () => {
    const skb = packet();
    expect(delivery.report(skb, UDP, report)).toBe(false);
    fake.point(contract.Protocol).add(protocol({ error: () => false }), 11);
    expect(delivery.report(skb, UDP, report)).toBe(false);
    let refuses = true;
    const error = (_sock: SockCommon, _skb: Skb | null, of: ErrorReport): void => {
      of.refused = refuses;
    };
    found = { holdKind: { owner: 77 }, ops: { error } } as never;
    expect(delivery.report(skb, UDP, report)).toBe(false);
    refuses = false;
    expect(delivery.report(skb, UDP, report)).toBe(true);
    pool.release(skb);
  });
});

describe('who reads raw', () => {
  const raw = (reads: boolean): contract.RawTap => ({
    name: 'raw',
    copy: (_skb, number) => {
      calls.push(`copy of ${number} as ${fake.current.id}`);
      return reads;
    },
    error: (_skb, number) => {
      calls.push(`error of ${number} as ${fake.current.id}`);
      return reads;
    },
  });

  test('has a copy before the flow table is asked, and changes nothing for whom it is', () => {
    fake.point(contract.RawTap).add(raw(true), 21);
    fake.point(contract.Protocol).add(protocol(), 11);
    fake.point(contract.ProtocolDoor).add(door('door'), 12);
    fake.current.id = 3;
    delivery.deliver(packet(), UDP);
    known = true;
    delivery.deliver(packet(), UDP);
    const first = ['copy of 17 as 21', 'dissect as 11', 'demux as 50'];
    expect([calls, fake.current.id, pool.skbsOut]).toEqual([[...first, 'door as 12', ...first], 3, 0]);
  });

  test('is all that there is of a protocol: its sender is not refused; one that does not want it is nobody', () => {
    fake.point(contract.RawTap).add(raw(false), 21);
    delivery.deliver(packet(), UDP);
    expect(calls.splice(0)).toEqual(['copy of 17 as 21', `refused ${REFUSAL.PROTOCOL_UNREACHABLE}`]);
    fake.point(contract.RawTap).add(raw(true), 22);
    delivery.deliver(packet(), UDP);
    expect([calls, fake.drops, pool.skbsOut]).toEqual([['copy of 17 as 21', 'copy of 17 as 22'], { 'no-protocol': 1 }, 0]);
  });

  test('hears of errors beside whose packet it was, and has sent it where it says so', () => {
    const skb = packet();
    const report = new contract.ErrorReport();
    fake.point(contract.RawTap).add(raw(false), 21);
    expect(delivery.report(skb, UDP, report)).toBe(false);
    fake.point(contract.RawTap).add(raw(true), 22);
    expect([delivery.report(skb, UDP, report), calls]).toEqual([true, ['error of 17 as 21', 'error of 17 as 21', 'error of 17 as 22']]);
    pool.release(skb);
  });
});

test('hooks of a layer: what was kept goes on behind its point, until the layer stops', () => {
  const passed: string[] = [];
  const step = (name: string) => (skb: Skb) => {
    passed.push(name);
    pool.release(skb);
    return 0;
  };
  const steps = {
    prerouting: step('routed'),
    input: step('in'),
    forward: step('forward'),
    output: step('out'),
    postrouting: step('posted'),
  };
  const hooks = new LayerHooks(fake.context, contract.HOOK_FAMILY.IPV4, steps, fake.dropReason('lost'));
  const kept: Skb[] = [];
  const reason = fake.dropReason('hook');
  const hook = (point: number, verdict: number): contract.Hook => ({
    ...{ name: 'h', family: contract.HOOK_FAMILY.IPV4, point, priority: 0, reason },
    run: (skb) => {
      if (verdict === contract.VERDICT.STOLEN) kept.push(skb);
      return verdict;
    },
  });
  const stealing = hook(contract.HOOK_POINT.INPUT, contract.VERDICT.STOLEN);
  fake.point(contract.Hook).add(stealing, 11);
  fake.point(contract.Hook).add(hook(contract.HOOK_POINT.FORWARD, contract.VERDICT.DROP), 11);
  for (const chain of [hooks.prerouting, hooks.input, hooks.forward, hooks.output, hooks.postrouting]) {
    contract.runHooks(chain, packet(), null, null);
  }
  contract.runHooks(hooks.input, packet(), null, null);
  expect([passed, fake.drops]).toEqual([['routed', 'out', 'posted'], { hook: 1 }]);
  contract.resumeHooks(hooks.input, stealing, kept[0]!, null, null);
  expect(passed.at(-1)).toBe('in');
  hooks.close();
  contract.resumeHooks(hooks.input, stealing, kept[1]!, null, null);
  expect([fake.drops, pool.skbsOut]).toEqual([{ hook: 1, lost: 1 }, 0]);
});
