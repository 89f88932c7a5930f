export { LoopbackModule } from './loopback/module.ts';
export { Capture, type CaptureOptions, Captures } from './pcap/captures.ts';
export { PcapModule } from './pcap/module.ts';
export { Cable, type CableOptions, type LineCounts } from './virtual-wire/cable.ts';
export type { LineSettings } from './virtual-wire/line-settings.ts';
export { WireModule, type WireOptions } from './virtual-wire/module.ts';
