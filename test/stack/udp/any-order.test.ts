import type { SockCommon } from '@softnet/contract';
import { ADDRESS_FAMILY, MESSAGE_FLAG } from '@softnet/contract';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { User } from './host.ts';
import { address, CLEAN, nobody, udpHost } from './host.ts';

const { INET, INET6 } = ADDRESS_FAMILY;

test('whatever users call in whatever order, nothing throws and nothing is left', async () => {
  const ends = fc.constantFrom(
    '10.0.0.1:7',
    '10.0.0.2:9',
    ':7',
    ':0',
    '99.0.0.1:5',
    '[2001:db8::1]:7',
    '[::ffff:10.0.0.1]:9',
    '[fe80::1%1]:7',
    '255.255.255.255:7',
  );
  const call = fc.record({
    who: fc.nat(3),
    what: fc.constantFrom(
      'bind',
      'connect',
      'disconnect',
      'send',
      'sendto',
      'receive',
      'take',
      'shut',
      'close',
      'flags',
      'changed',
      'settle',
    ),
    end: ends,
    size: fc.constantFrom(0, 1, 100, 3000),
    bits: fc.nat(0x87),
  });
  const host = await udpHost();
  await fc.assert(
    fc.asyncProperty(fc.array(call, { maxLength: 60 }), async (calls) => {
      const users: User[] = [INET, INET6, INET, INET6].map((family) => host.user(family));
      for (const { who, what, end, size, bits } of calls) {
        const user = users[who]!;
        if (what === 'settle') await host.settle();
        else if (what === 'changed') host.control.changed();
        else expect(Number.isInteger(act(user, what, end, size, bits))).toBe(true);
      }
      await host.settle();
      for (const user of users) user.close();
      for (const { sock } of users) expect(remains(sock)).toEqual([0, 0, 0, 0]);
      expect(host.kernel.holders()).toEqual([]);
    }),
    { numRuns: 300 },
  );
  expect(await host.end()).toEqual(CLEAN);
});

function remains(sock: SockCommon): number[] {
  return [sock.sendQueuedBytes, sock.receiveQueuedBytes, sock.dst === null ? 0 : 1, sock.hashNext === null ? 0 : 1];
}

function act(user: User, what: string, end: string, size: number, bits: number): number {
  const { calls, sock, message } = user;
  switch (what) {
    case 'bind':
      return calls.bind(sock, address(end, sock.family));
    case 'connect':
      return calls.connect(sock, address(end, sock.family));
    case 'disconnect':
      return calls.connect(sock, nobody);
    case 'send':
      return user.send(new Uint8Array(size));
    case 'sendto':
      return user.send(new Uint8Array(size), end);
    case 'receive': {
      const got = user.receive(bits & (MESSAGE_FLAG.PEEK | MESSAGE_FLAG.TRUNC), new Uint8Array(50));
      return typeof got === 'number' ? got : 0;
    }
    case 'take': {
      message.flags = MESSAGE_FLAG.SKB;
      const got = calls.receive(sock, message);
      if (got >= 0 && message.skb !== null) message.skb.memory.pool.release(message.skb);
      message.skb = null;
      return got;
    }
    case 'shut':
      return calls.shutdown(sock, bits & 3);
    case 'flags':
      sock.flags = (sock.flags & ~0x8f) | (bits & 0x8f);
      return 0;
    default:
      calls.close(sock);
      return 0;
  }
}
