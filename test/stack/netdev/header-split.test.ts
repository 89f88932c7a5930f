import type { HeaderParser, ModuleContext } from '@softnet/contract';
import { LINK_TYPE, PARSER_LEVEL } from '@softnet/contract';
import { NetdevModule } from '@softnet/netdev';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bootNetdev, FakeDriver, frame, plug } from './netdev-host.ts';
import { sunRpc } from './sunrpc-parser.ts';

const ip: HeaderParser = {
  ...{ name: 'ip', level: PARSER_LEVEL.ETHERTYPE, number: 0x800 },
  parse: (view, offset, end, found) => {
    if (end - offset < 20) return false;
    found.lenBytes = 4 * (view.getUint8(offset) & 15);
    found.nextLevel = PARSER_LEVEL.IP_PROTOCOL;
    found.nextNumber = view.getUint8(offset + 9);
    return found.lenBytes >= 20;
  },
};
const udp: HeaderParser = {
  ...{ name: 'udp', level: PARSER_LEVEL.IP_PROTOCOL, number: 17 },
  parse: (view, offset, end, found) => {
    if (end - offset < 8) return false;
    found.lenBytes = 8;
    found.nextLevel = PARSER_LEVEL.UDP_PORT;
    found.nextNumber = view.getUint16(offset + 2);
    found.otherNumber = view.getUint16(offset);
    return true;
  },
};

async function boot() {
  const host = await bootNetdev();
  const device = plug(host, new FakeDriver(host), 'eth0');
  device.type = LINK_TYPE.ETHER;
  await host.load('ip', { parsers: [ip, udp] });
  const split = (bytes: Uint8Array) => host.split().headerBytes(device, new DataView(bytes.buffer), 0, bytes.length);
  return { host, device, split };
}

/** A datagram between these ports. */
function datagram(from: number, to: number, payload: Uint8Array): Uint8Array {
  const packet = new Uint8Array(28 + payload.length);
  const view = new DataView(packet.buffer);
  packet[0] = 0x45;
  packet[9] = 17;
  view.setUint16(20, from);
  view.setUint16(22, to);
  packet.set(payload, 28);
  return Uint8Array.from([...frame(''), ...packet]);
}

function words(...numbers: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(4 * numbers.length);
  numbers.forEach((word, i) => {
    new DataView(bytes.buffer).setUint32(4 * i, word);
  });
  return bytes;
}

/** WRITE (7) of NFS 3 (100003), with credentials of 20 bytes and no verifier; then its arguments. */
const CREDENTIALS = Object.freeze([1, 20, 0, 0, 0, 0, 0, 0, 0] as const);
const CALL = Object.freeze([0x1234, 0, 2, 100_003, 3, 7, ...CREDENTIALS.slice(0, 7), 0, 0] as const);
const HEADERS = 14 + 20 + 8;

describe('header split', () => {
  test('ends where nobody knows more; a module that is loaded teaches more, until it goes', async () => {
    const { host, split } = await boot();
    const call = datagram(700, 2049, words(...CALL, 0xda7a, 0xda7a));
    expect(split(call)).toBe(HEADERS);
    await host.load('sunrpc', { parsers: [sunRpc] });
    expect(split(call)).toBe(HEADERS + 4 * CALL.length);
    const reply = words(0x1234, 1, 0, 0, 0, 0, 0xda7a);
    expect(split(datagram(2049, 700, reply)), 'known by either port').toBe(HEADERS + 24);
    expect(split(datagram(700, 701, reply))).toBe(HEADERS);
    await host.run(host.kernel.unload('sunrpc'));
    expect(split(call)).toBe(HEADERS);
  });

  test.each<[string, readonly number[]]>([
    ['another version of RPC', [1, 0, 3, 4, 5, 6, 0, 0, 0, 0]],
    ['neither call nor reply', [1, 2, 2, 4, 5, 6, 0, 0, 0, 0]],
    ['credentials that are too long', [1, 0, 2, 4, 5, 6, 0, 404, ...new Array(110).fill(0)]],
    ['a length that lies', [1, 0, 2, 4, 5, 6, 0, 0xffffffff, 0, 0]],
    ['a verifier that is cut off', [1, 0, 2, 4, 5, 6, 0, 0, 0]],
    ['a reply that denies', [1, 1, 1, 0, 0, 0, 0]],
    ['a reply of no success', [1, 1, 0, 0, 0, 1, 0]],
  ])('%s is payload', async (_what, message) => {
    const { host, split } = await boot();
    await host.load('sunrpc', { parsers: [sunRpc] });
    expect(split(datagram(700, 2049, words(...message)))).toBe(HEADERS);
  });

  test('of two generations the newer; each as its module; with netdev replaced, too', async () => {
    const { host, split } = await boot();
    const call = datagram(700, 2049, words(...CALL));
    const lengths: number[] = [];
    let ctx!: ModuleContext;
    const odd: HeaderParser = {
      ...sunRpc,
      parse: (_view, _offset, _end, found) => {
        lengths.push(ctx.current.id - ctx.owner);
        found.lenBytes = 4;
        return true;
      },
    };
    await host.load('sunrpc', { parsers: [sunRpc] });
    await host.load('odd', { parsers: [odd] }, (its) => {
      ctx = its;
    });
    expect([split(call), lengths]).toEqual([HEADERS + 4, [0]]);
    await host.run((await host.run(host.kernel.replace('netdev', NetdevModule))).drained);
    expect(split(call)).toBe(HEADERS + 4);
    await host.run(host.kernel.unload('odd'));
    expect(split(call)).toBe(HEADERS + 4 * CALL.length);
  });

  test('whatever the bytes: nothing is thrown, never more than there is', async () => {
    const { host, split } = await boot();
    await host.load('sunrpc', { parsers: [sunRpc] });
    const call = datagram(700, 2049, words(...CALL, 0xda7a));
    const whole = split(call);
    const flips = fc.array(fc.tuple(fc.nat(call.length - 1), fc.nat(255)), { maxLength: 4 });
    fc.assert(
      fc.property(flips, fc.nat(call.length), (changes, lenBytes) => {
        const bytes = call.slice(0, lenBytes);
        for (const [at, value] of changes) if (at < lenBytes) bytes[at] = value;
        const found = split(bytes);
        expect(found).toBeLessThanOrEqual(lenBytes);
        if (changes.length === 0) expect(found).toBe([whole, HEADERS, 34, 14, 0].find((end) => end <= lenBytes));
      }),
      { numRuns: 1000 },
    );
  });
});
