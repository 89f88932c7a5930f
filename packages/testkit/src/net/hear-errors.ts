import type { ErrorReport, Skb, SockCommon } from '@softnet/contract';
import { ADDRESS_FAMILY } from '@softnet/contract';
import { formatAddress } from '@softnet/wire';

/** An {@link ErrorReport}, kept. */
export interface HeardError {
  readonly errno: number;
  readonly origin: number;
  readonly type: number;
  readonly code: number;
  readonly info: number;
  /** Who says so; '' where nobody is named. */
  readonly offender: string;
  /** Of the packet that it is about, behind its IP header: as much as is there, 16 bytes at most. Null: it is not at hand. */
  readonly packet: Uint8Array | null;
}

/**
 * Tells of each error about a socket's packets, with who says so; errors go on to the socket. A program's place for it will be the error
 * queue (IP_RECVERR), once sockets have one.
 */
export function hearErrors(sock: SockCommon, heard: (error: HeardError) => void): void {
  const { ops } = sock;
  sock.ops = {
    name: ops.name,
    type: ops.type,
    calls: ops.calls,
    input: (of, skb) => ops.input(of, skb),
    error: (of, skb, report) => {
      if (report.errno !== 0) heard(kept(of.layer?.family ?? of.family, skb, report));
      ops.error(of, skb, report);
    },
    released: (of, skb) => ops.released(of, skb),
  };
}

function kept(family: number, skb: Skb | null, report: ErrorReport): HeardError {
  const { errno, origin, type, code, info, offender0, offender1, offender2, offender3 } = report;
  const isNamed = (offender0 | offender1 | offender2 | offender3) !== 0;
  const offender = isNamed ? formatAddress(family || ADDRESS_FAMILY.INET6, offender0, offender1, offender2, offender3) : '';
  const hasHeader = skb !== null && skb.transport >= 0;
  const packet = hasHeader ? skb.memory.bytes.slice(skb.transport, Math.min(skb.tail, skb.transport + 16)) : null;
  return { errno, origin, type, code, info, offender, packet };
}
