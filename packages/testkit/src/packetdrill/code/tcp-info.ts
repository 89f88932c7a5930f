/** Linux's `struct tcp_info`, in its order: names without 'tcpi_', by their widths in bytes. The two bytes of bit fields are apart. */
const FIELDS: readonly (readonly [bytes: 1 | 4 | 8, names: string])[] = Object.freeze([
  [1, 'state ca_state retransmits probes backoff options wscale flags'],
  [4, 'rto ato snd_mss rcv_mss unacked sacked lost retrans fackets last_data_sent last_ack_sent last_data_recv last_ack_recv'],
  [4, 'pmtu rcv_ssthresh rtt rttvar snd_ssthresh snd_cwnd advmss reordering rcv_rtt rcv_space total_retrans'],
  [8, 'pacing_rate max_pacing_rate bytes_acked bytes_received'],
  [4, 'segs_out segs_in notsent_bytes min_rtt data_segs_in data_segs_out'],
  [8, 'delivery_rate busy_time rwnd_limited sndbuf_limited'],
  [4, 'delivered delivered_ce'],
  [8, 'bytes_sent bytes_retrans'],
  [4, 'dsack_dups reord_seen rcv_ooopack snd_wnd rcv_wnd rehash'],
]);

/** Names and values, as far as the bytes go: `tcpi_snd_cwnd`. */
export function readTcpInfo(bytes: Uint8Array): (readonly [string, number])[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const found: (readonly [string, number])[] = [];
  let at = 0;
  for (const [width, names] of FIELDS) {
    for (const name of names.split(' ')) {
      if (at + width > bytes.length) return found;
      const value = width === 1 ? view.getUint8(at) : width === 4 ? view.getUint32(at, true) : Number(view.getBigUint64(at, true));
      at += width;
      if (name === 'wscale') found.push(['tcpi_snd_wscale', value & 0xf], ['tcpi_rcv_wscale', value >>> 4]);
      else if (name === 'flags')
        found.push(['tcpi_delivery_rate_app_limited', value & 1], ['tcpi_fastopen_client_fail', (value >>> 1) & 3]);
      else found.push([`tcpi_${name}`, value]);
    }
  }
  return found;
}
