import { FlowKey } from '@softnet/contract';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { IPV4_DST, IPV4_SRC } from './ipv4.ts';
import { IPV6_DST, IPV6_SRC } from './ipv6.ts';
import { readIpv4Ends, readIpv6Ends } from './packet-ends.ts';

const word = fc.oneof(fc.constant(0), fc.integer());

test('of IPv4: words of both families; 0 is the unspecified address', () => {
  fc.assert(
    fc.property(word, word, (source, destination) => {
      const view = new DataView(new ArrayBuffer(24));
      view.setInt32(4 + IPV4_SRC, source);
      view.setInt32(4 + IPV4_DST, destination);
      const key = Object.assign(new FlowKey(), { local0: 9, remote1: 9, localPort: 5 });
      readIpv4Ends(view, 4, key);
      const { local0, local1, local2, local3, remote0, remote1, remote2, remote3, localPort } = key;
      const words = (address: number) => [0, 0, address === 0 ? 0 : 0xffff, address];
      expect([local0, local1, local2, local3]).toEqual(words(destination));
      expect([remote0, remote1, remote2, remote3]).toEqual(words(source));
      expect(localPort).toBe(5);
    }),
  );
});

test('of IPv6: as they stand there', () => {
  const view = new DataView(new ArrayBuffer(44));
  for (let i = 0; i < 4; i++) {
    view.setInt32(4 + IPV6_SRC + 4 * i, -1 - i);
    view.setInt32(4 + IPV6_DST + 4 * i, 1 + i);
  }
  const key = new FlowKey();
  readIpv6Ends(view, 4, key);
  expect(key).toMatchObject({ local0: 1, local1: 2, local2: 3, local3: 4, remote0: -1, remote1: -2, remote2: -3, remote3: -4 });
});
