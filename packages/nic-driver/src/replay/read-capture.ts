import { NetError } from '@softnet/contract';
import { viewOf } from '@softnet/wire';
import { BLOCK } from '../pcap/pcapng-blocks.ts';
import { PCAP_MAGIC, PcapReader } from './pcap-reader.ts';
import { PcapngReader } from './pcapng-reader.ts';
import type { CaptureReader } from './recorded-packet.ts';

/**
 * A reader of a capture file, pcap or pcapng.
 * @throws NetError EINVAL: it is neither; says what it seems to be.
 */
export function readCapture(bytes: Uint8Array): CaptureReader {
  if (bytes.length < 4) throw refusal(bytes.length === 0 ? 'is empty' : `has ${bytes.length} bytes only`);
  const view = viewOf(bytes);
  if (view.getUint32(0) === BLOCK.SECTION) return new PcapngReader(bytes);
  for (const littleEndian of [true, false]) {
    const magic = view.getUint32(0, littleEndian);
    if (magic === PCAP_MAGIC.MICROSECONDS || magic === PCAP_MAGIC.NANOSECONDS) {
      return new PcapReader(bytes, littleEndian, magic === PCAP_MAGIC.NANOSECONDS);
    }
  }
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) throw refusal('is packed by gzip: unpack it first');
  throw refusal(`begins with ${view.getUint32(0).toString(16).padStart(8, '0')}, no magic of pcap or pcapng`);
}

function refusal(what: string): NetError {
  return new NetError('EINVAL', `replay: this is no capture: it ${what}; give the bytes of a file that tcpdump or Wireshark wrote`);
}
