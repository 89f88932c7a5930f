/** `struct tcp_info` in its order: names without 'tcpi_', by their widths in bytes. Two bytes are bit fields: 'wscale' and 'flags'. */
const FIELDS: readonly (readonly [widthBytes: 1 | 4 | 8, names: string])[] = Object.freeze([
  [1, 'state ca_state retransmits probes backoff options wscale flags'],
  [4, 'rto ato snd_mss rcv_mss unacked sacked lost retrans fackets last_data_sent last_ack_sent last_data_recv last_ack_recv'],
  [4, 'pmtu rcv_ssthresh rtt rttvar snd_ssthresh snd_cwnd advmss reordering rcv_rtt rcv_space total_retrans'],
  [8, 'pacing_rate max_pacing_rate bytes_acked bytes_received'],
  [4, 'segs_out segs_in notsent_bytes min_rtt data_segs_in data_segs_out'],
  [8, 'delivery_rate busy_time rwnd_limited sndbuf_limited'],
  [4, 'delivered delivered_ce'],
  [8, 'bytes_sent bytes_retrans'],
  [4, 'dsack_dups reord_seen rcv_ooopack snd_wnd'],
  // Of Linux 6.2 and later.
  [4, 'rcv_wnd rehash'],
]);

/** Bytes of Linux 6.1's `struct tcp_info`: up to tcpi_snd_wnd. */
export const TCP_INFO_BYTES = 232;

/**
 * `struct tcp_info` as a plain value: fields by Linux's names ('tcpi_snd_cwnd') in Linux's units (times in µs; tcpi_last_* in ms), its bit fields apart
 * ('tcpi_snd_wscale'). As far as the bytes go: older kernels give less.
 */
export type TcpInfo = Readonly<Record<string, number>>;

/** From the value of TCP_INFO. 64-bit fields beyond 2^53 lose their last bits; ~0 (no limit of pacing) is 2^64. */
export function readTcpInfo(bytes: Uint8Array): TcpInfo {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const info: Record<string, number> = {};
  let at = 0;
  for (const [widthBytes, names] of FIELDS) {
    for (const name of names.split(' ')) {
      if (at + widthBytes > bytes.length) return info;
      const value =
        widthBytes === 1 ? view.getUint8(at) : widthBytes === 4 ? view.getUint32(at, true) : Number(view.getBigUint64(at, true));
      at += widthBytes;
      if (name === 'wscale') Object.assign(info, { tcpi_snd_wscale: value & 0xf, tcpi_rcv_wscale: value >>> 4 });
      else if (name === 'flags')
        Object.assign(info, { tcpi_delivery_rate_app_limited: value & 1, tcpi_fastopen_client_fail: (value >>> 1) & 3 });
      else info[`tcpi_${name}`] = value;
    }
  }
  return info;
}

/** The bytes of TCP_INFO for a value; fields that are not named are 0. @param lenBytes how many of them. */
export function writeTcpInfo(info: TcpInfo, lenBytes = TCP_INFO_BYTES): Uint8Array {
  const bytes = new Uint8Array(lenBytes);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const [widthBytes, names] of FIELDS) {
    for (const name of names.split(' ')) {
      if (at + widthBytes > lenBytes) return bytes;
      const value = fieldOf(info, name);
      if (widthBytes === 1) view.setUint8(at, value);
      else if (widthBytes === 4) view.setUint32(at, value, true);
      else view.setBigUint64(at, BigInt(value), true);
      at += widthBytes;
    }
  }
  return bytes;
}

function fieldOf(info: TcpInfo, name: string): number {
  const of = (field: string): number => info[`tcpi_${field}`] ?? 0;
  if (name === 'wscale') return (of('snd_wscale') & 0xf) | (of('rcv_wscale') << 4);
  if (name === 'flags') return (of('delivery_rate_app_limited') & 1) | ((of('fastopen_client_fail') & 3) << 1);
  return of(name);
}
