import type { FlowKey, PacketMemory } from '@softnet/contract';

/** Source and destination port: how UDP, UDP-Lite, TCP, DCCP and SCTP begin (RFC 768, 3828, 9293, 4340, 9260). */
export const PORTS_BYTES = 4;

export function srcPort(view: DataView, offset: number): number {
  return view.getUint16(offset);
}

export function setSrcPort(view: DataView, offset: number, port: number): void {
  view.setUint16(offset, port);
}

export function dstPort(view: DataView, offset: number): number {
  return view.getUint16(offset + 2);
}

export function setDstPort(view: DataView, offset: number, port: number): void {
  view.setUint16(offset + 2, port);
}

/** `Protocol.dissect` of every protocol that begins with ports: local is the destination. */
export function dissectPorts({ view }: PacketMemory, offset: number, endOffset: number, key: FlowKey): boolean {
  if (endOffset - offset < PORTS_BYTES) return false;
  key.remotePort = srcPort(view, offset);
  key.localPort = dstPort(view, offset);
  return true;
}
