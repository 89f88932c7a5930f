import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readTcpInfo, TCP_INFO_BYTES, writeTcpInfo } from './tcp-info.ts';

/** What Linux 6.18 says of a connection over its loopback: 5 bytes sent, 100 received. */
const REAL =
  '010000000007aa01e01c0300409c0000008000001802000000000000000000000000000000000000000000003c000000000000003c0000003c000000ffff0000d7ff0000190000000e000000ffffff7f0b000000cbff00000300000000000000d7ff0000000000005010d6c707000000ffffffffffffffff06000000000000006400000000000000040000000300000000000000070000000100000001000000499204170100000000000000000000000000000000000000000000000000000002000000000000000500000000000000000000000000000000000000000000000000000000000100';

const fromHex = (text: string): Uint8Array => Uint8Array.from(text.match(/../g)!, (pair) => Number.parseInt(pair, 16));

test('a real one', () => {
  const info = readTcpInfo(fromHex(REAL));
  expect(info).toMatchObject({
    ...{ tcpi_state: 1, tcpi_ca_state: 0, tcpi_options: 7, tcpi_snd_wscale: 10, tcpi_rcv_wscale: 10, tcpi_delivery_rate_app_limited: 1 },
    ...{ tcpi_fastopen_client_fail: 0, tcpi_rto: 204_000, tcpi_ato: 40_000, tcpi_snd_mss: 32_768, tcpi_rcv_mss: 536, tcpi_pmtu: 65_535 },
    ...{ tcpi_rtt: 25, tcpi_rttvar: 14, tcpi_snd_ssthresh: 0x7fffffff, tcpi_snd_cwnd: 11, tcpi_advmss: 65_483, tcpi_reordering: 3 },
    ...{ tcpi_max_pacing_rate: 2 ** 64, tcpi_bytes_acked: 6, tcpi_bytes_received: 100, tcpi_segs_out: 4, tcpi_segs_in: 3 },
    ...{ tcpi_min_rtt: 7, tcpi_data_segs_in: 1, tcpi_data_segs_out: 1, tcpi_delivered: 2, tcpi_bytes_sent: 5, tcpi_snd_wnd: 65_536 },
  });
  expect(Object.keys(info)).toHaveLength(56);
});

test('there and back, as far as the bytes go; garbage is read as it is', () => {
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 260 }), fc.uint8Array({ minLength: 232, maxLength: 232 })), (bytes) => {
      // 64-bit fields are numbers: of their upper half only what those hold exactly. The byte of flags has three bits.
      const exact = bytes.slice();
      for (const at of [104, 112, 120, 128, 160, 168, 176, 184, 200, 208]) exact.fill(0, at + 6, at + 8);
      if (exact.length > 7) exact[7]! &= 7;
      const info = readTcpInfo(exact);
      const whole = writeTcpInfo(info, exact.length);
      expect(readTcpInfo(whole)).toEqual(info);
      if (exact.length === TCP_INFO_BYTES) expect([Object.keys(info).length, [...whole]]).toEqual([56, [...exact]]);
      expect(Object.values(info).every((value) => value >= 0)).toBe(true);
    }),
  );
});

test('fields stand where Linux has them, and what is cut is not there', () => {
  const bytes = new Uint8Array(TCP_INFO_BYTES);
  const view = new DataView(bytes.buffer);
  const places: [number, string][] = [
    [8, 'rto'],
    [104, 'pacing_rate'],
    [136, 'segs_out'],
    [160, 'delivery_rate'],
    [192, 'delivered'],
    [228, 'snd_wnd'],
  ];
  for (const [at] of places) view.setUint32(at, at, true);
  expect(readTcpInfo(bytes)).toMatchObject(Object.fromEntries(places.map(([at, name]) => [`tcpi_${name}`, at])));
  expect(readTcpInfo(bytes.subarray(0, 11))).not.toHaveProperty('tcpi_rto');
  expect(readTcpInfo(bytes.subarray(0, 12))).toHaveProperty('tcpi_rto', 8);
  expect(readTcpInfo(new Uint8Array(240))).toHaveProperty('tcpi_rehash', 0);
});
