import type { PacketFilter, SockCommon } from '@softnet/contract';
import { ADDRESS_FAMILY, ERRNO, IP_OPTION, MESSAGE_FLAG, POLL, SOCK_FLAG, SOL, SockOptions } from '@softnet/contract';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Row } from './control.ts';
import { controls, get, int, receiveAll, sendWith, set } from './control.ts';
import type { User } from './host.ts';
import { address, CLEAN } from './host.ts';
import { realHost } from './real-host.ts';

const { INET, INET6 } = ADDRESS_FAMILY;
const { EAGAIN, ECONNREFUSED, EMSGSIZE, EOPNOTSUPP, EPIPE } = ERRNO;
const { OOB, PEEK, PROBE, TRUNC } = MESSAGE_FLAG;
const TO = '127.0.0.1:6101';
const text = (what: string): number[] => [...new TextEncoder().encode(what)];

let host: Awaited<ReturnType<typeof realHost>>;
let a: User;
let b: User;
beforeAll(async () => {
  host = await realHost();
});
beforeEach(() => {
  [a, b] = [host.user(), host.user()];
  expect(b.bind(TO)).toBe(0);
});
afterEach(() => {
  a.close();
  b.close();
});
afterAll(async () => {
  expect(await host.end()).toEqual(CLEAN);
});

async function deliver(...what: string[]): Promise<void> {
  for (const each of what) expect(sendWith(a, text(each), [], TO)).toBe(each.length);
  await host.settle();
}

function read(flags = 0, roomBytes = 99): string | number {
  const got = receiveAll(b, flags, roomBytes);
  return typeof got === 'number' ? got : String.fromCharCode(...got.bytes);
}

function optionsOf(sock: SockCommon): SockOptions {
  sock.options ??= new SockOptions();
  return sock.options;
}

test('SO_PEEK_OFF counts over all that waits, as Linux 6.18 does', async () => {
  await deliver('hello', '', 'world');
  const options = optionsOf(b.sock);
  options.peekOffsetBytes = 0;
  const peeks = [read(PEEK, 2), read(PEEK, 2), read(PEEK), read(PEEK), read(PEEK)];
  expect([...peeks, options.peekOffsetBytes, read(), options.peekOffsetBytes]).toEqual(['he', 'll', 'o', '', 'world', 10, 'hello', 5]);
  expect([read(PEEK), read(), read(), options.peekOffsetBytes, read(PEEK)]).toEqual([-EAGAIN, '', 'world', 0, -EAGAIN]);
});

test('what is cut off says so; with TRUNC, how long it was; urgent data are none', async () => {
  await deliver('hello');
  b.message.data = new Uint8Array(2);
  b.message.more = null;
  b.message.flags = PEEK | TRUNC;
  expect([b.calls.receive(b.sock, b.message), b.message.flags]).toEqual([5, TRUNC]);
  expect([read(OOB, 3), read(OOB)]).toEqual(['hel', -EAGAIN]);
});

test('PROBE looks the way up, and sends nothing', async () => {
  expect(sendWith(a, [1, 2], [], TO, PROBE)).toBe(2);
  expect(sendWith(a, [1], [], '99.1.1.1:5', PROBE)).toBe(-ERRNO.ENETUNREACH);
  await host.settle();
  expect(read()).toBe(-EAGAIN);
});

// Each: what a refused, connected socket answers, call by call; as Linux 6.18 did.
const REFUSED: readonly (readonly [what: string, calls: readonly (() => unknown)[], answers: readonly unknown[]])[] = [
  ['the next send is told', [() => a.send(Uint8Array.of(1)), () => a.send(Uint8Array.of(1))], [-ECONNREFUSED, 1]],
  [
    'what is wrong with the call itself comes first',
    [
      () => sendWith(a, [1], [], undefined, OOB),
      () => a.send(new Uint8Array(70_000)),
      () => a.calls.shutdown(a.sock, 2),
      () => a.send(Uint8Array.of(1)),
      () => a.send(Uint8Array.of(1)),
    ],
    [-EOPNOTSUPP, -EMSGSIZE, 0, -ECONNREFUSED, -EPIPE],
  ],
  ['a send to another is told too', [() => sendWith(a, [1], [], TO), () => sendWith(a, [1], [], TO)], [-ECONNREFUSED, 1]],
  ['receive is told', [() => a.receive(), () => a.receive()], [-ECONNREFUSED, -EAGAIN]],
  ['SO_ERROR is told, once', [() => get(a, SOL.SOCKET, 4), () => a.receive()], [int(ECONNREFUSED), -EAGAIN]],
  ['poll says so', [() => a.calls.poll(a.sock) & POLL.ERR], [POLL.ERR]],
];
test.each(REFUSED)('refused: %s', async (_what, calls, answers) => {
  expect(a.connect('127.0.0.1:9')).toBe(0);
  expect(a.send(Uint8Array.of(1))).toBe(1);
  await host.settle();
  expect(calls.map((call) => call())).toEqual(answers);
  await host.settle();
});

test('who is not connected, and has not asked, hears of nothing', async () => {
  expect(sendWith(a, [1], [], '127.0.0.1:9')).toBe(1);
  await host.settle();
  expect([a.receive(), a.calls.poll(a.sock) & POLL.ERR]).toEqual([-EAGAIN, 0]);
});

test('a filter sees the datagram from its header on: lets it in, cuts it, or drops it, which is counted', async () => {
  const seen: number[] = [];
  let keep = 0xffff;
  const filter: PacketFilter = {
    run: (skb) => {
      seen.push(skb.len, skb.memory.view.getUint16(skb.data + 2));
      return keep;
    },
  };
  optionsOf(b.sock).filter = filter;
  const drops = (): number => host.kernel.dropReasons().find(({ name }) => name === 'udp.filter')!.count;
  await deliver('hello');
  keep = 10;
  await deliver('hello');
  keep = 3;
  await deliver('hello');
  keep = 0;
  await deliver('hello');
  expect([read(), read(), read(), read(), drops()]).toEqual(['hello', 'he', '', -EAGAIN, 1]);
  expect(seen).toEqual(new Array(4).fill([13, 6101]).flat());
  expect(b.sock.receiveQueuedBytes).toBe(0);
});

test('what has no room is counted for its socket, where it has options', async () => {
  optionsOf(b.sock).receiveLimitBytes = 1;
  await deliver('1', '2', '3');
  expect([read(), read(), optionsOf(b.sock).overflows]).toEqual(['1', -EAGAIN, 2]);
});

test('by which interface single hosts are reached: that of the message, of the socket, of IP_UNICAST_IF', async () => {
  expect(set(a, SOL.IP, IP_OPTION.UNICAST_IF, [0, 0, 0, 1])).toBe(0);
  await deliver('by lo');
  expect(read()).toBe('by lo');
  expect(sendWith(a, [65], [[SOL.IP, IP_OPTION.PKTINFO, [...int(1), ...new Array(8).fill(0)]]], TO)).toBe(1);
  await host.settle();
  expect(read()).toBe('A');
});

test('a connected socket’s message may have another source, and mark, for once', async () => {
  expect(a.connect(TO)).toBe(0);
  expect(sendWith(a, [65], [[SOL.IP, IP_OPTION.PKTINFO, [...int(0), 127, 0, 0, 2, 0, 0, 0, 0]]])).toBe(1);
  await host.settle();
  expect(receiveAll(b)).toMatchObject({ bytes: [65], from: expect.stringContaining('127.0.0.2:') });
  expect(a.send(Uint8Array.of(66))).toBe(1);
  await host.settle();
  expect(receiveAll(b)).toMatchObject({ bytes: [66], from: expect.stringContaining('127.0.0.1:') });
});

test('control messages of any bytes: sent or refused, never thrown, and nothing is left of them', async () => {
  const level = fc.constantFrom(SOL.IP, SOL.IPV6, SOL.UDP, SOL.SOCKET, 77);
  const type = fc.oneof(fc.integer({ min: 0, max: 110 }), fc.constantFrom(1, 2, 7, 8, 50, 52, 54, 59, 62, 67, 103));
  const bytes = fc.oneof(
    fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 48 }),
    fc.constantFrom(int(0), int(1), int(-1), int(64), [0, 0, 1, 4, 0, 0, 0, 0], new Array(12).fill(0), new Array(20).fill(0)),
  );
  const user6 = host.user(INET6);
  const into6 = host.user(INET6);
  into6.bind('[::1]:6102');
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(level, type, bytes), { maxLength: 4 }), fc.boolean(), async (rows, isIpv6) => {
      const user = isIpv6 ? user6 : a;
      const answer = sendWith(user, [1, 2, 3], rows as Row[], isIpv6 ? '[::1]:6102' : TO);
      expect(answer === 3 || answer < 0).toBe(true);
      await host.settle();
      receiveAll(isIpv6 ? into6 : b);
      expect([user.sock.sendQueuedBytes, user.sock.error]).toEqual([0, 0]);
    }),
    { numRuns: 300, seed: 11 },
  );
  user6.close();
  into6.close();
});

test('a message that is received anew has no control messages of the one before', async () => {
  expect(set(b, SOL.IP, IP_OPTION.RECVTTL, int(1))).toBe(0);
  await deliver('1', '2');
  expect(receiveAll(b)).toMatchObject({ control: [[SOL.IP, IP_OPTION.TTL, int(64)]] });
  b.message.control = controls([[9, 9, [1]]]);
  expect(receiveAll(b)).toMatchObject({ control: [[SOL.IP, IP_OPTION.TTL, int(64)]] });
  expect([receiveAll(b), b.message.control]).toEqual([-EAGAIN, null]);
});

test('connect is ordered: of two, the last wins; one in the midst of another is refused (row I4)', () => {
  expect([a.connect(TO), a.connect('127.0.0.1:6102'), a.sock.remotePort]).toEqual([0, 0, 6102]);
  const { ports } = { ports: [] as number[] };
  a.sock.wake = () => ports.push(a.calls.connect(a.sock, address(TO, INET)));
  expect(a.connect('127.0.0.1:6103')).toBe(0);
  expect([a.sock.remotePort, ports]).toEqual([6103, []]);
  expect(a.sock.flags & SOCK_FLAG.LISTENING).toBe(0);
});
