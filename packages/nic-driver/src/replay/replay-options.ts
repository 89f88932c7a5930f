import { NetError } from '@softnet/contract';
import type { PacketFilter } from '../pcap/filter/packet-filter.ts';

/** What `create` of the kind 'replay' takes. */
export interface ReplayOptions {
  /** The bytes of a pcap or pcapng file. They must not change. */
  readonly capture: Uint8Array;
  /** Which of its interfaces: its number from 0 on, or its name. Default: the first one with packets that can be replayed. */
  readonly interface?: number | string;
  /** Times as fast as it was recorded, or 'max': as fast as the stack takes them. Default 1. */
  readonly speed?: number | 'max';
  /** How often in all; Infinity: until it is removed. Default 1. */
  readonly loops?: number;
  /** Which packets; text as `parseFilter` takes it, or its tree. Default: all. */
  readonly filter?: string | PacketFilter;
  /** Hand up what the capture says was sent, too. Default: only what was received, or what does not say. */
  readonly outbound?: boolean;
  /** Gets a copy of each frame that is sent by the device. Default: they go nowhere. What it throws ends that. */
  readonly sent?: (frame: Uint8Array, timeUs: number) => void;
  /** Is told when the last frame was handed up, or the capture is broken. */
  readonly ended?: (report: ReplayReport) => void;
  /** 68 to 65,535; default 1,500. Longer frames are dropped. */
  readonly mtuBytes?: number;
  /** MAC address: '02:00:00:00:00:01' or six bytes. Default: by chance. Frames are handed up whatever address they have. */
  readonly address?: string | Uint8Array;
}

/** What became of a capture. */
export interface ReplayReport {
  /** Frames whose time came: handed up, or dropped with a reason. */
  readonly frames: number;
  /** Packets that were not: of other interfaces, not wanted by the filter, sent ones, noted as dropped. */
  readonly skipped: number;
  /** Where and why the capture could not be read to its end; null: it was. */
  readonly broken: string | null;
}

export const REPLAY_OPTIONS = Object.freeze([
  'capture',
  'interface',
  'speed',
  'loops',
  'filter',
  'outbound',
  'sent',
  'ended',
  'mtuBytes',
  'address',
] as const);

/** Bounds of a factor: a µs is a second, or a fortnight. */
const MAX_SPEED = 1e6;

/** Of those that are not checked elsewhere. @throws NetError EINVAL, saying which option. */
export function checkReplayOptions({ capture, speed, loops, outbound, sent, ended }: ReplayOptions): void {
  if (!(capture instanceof Uint8Array))
    throw refusal('capture', 'the bytes of a capture file, a Uint8Array (at the command: file ./x.pcapng)', capture);
  const isFactor = typeof speed === 'number' && speed >= 1 / MAX_SPEED && speed <= MAX_SPEED;
  if (speed !== undefined && speed !== 'max' && !isFactor) throw refusal('speed', "a factor, 0.000001 to 1000000, or 'max'", speed);
  const isCount = loops === Number.POSITIVE_INFINITY || (Number.isSafeInteger(loops) && loops! >= 1);
  if (loops !== undefined && !isCount) throw refusal('loops', '1 and up, or Infinity', loops);
  if (outbound !== undefined && typeof outbound !== 'boolean') throw refusal('outbound', 'true or false', outbound);
  if (sent !== undefined && typeof sent !== 'function') throw refusal('sent', 'a function of a frame and its time', sent);
  if (ended !== undefined && typeof ended !== 'function') throw refusal('ended', 'a function of a report', ended);
}

function refusal(option: string, takes: string, got: unknown): NetError {
  return new NetError('EINVAL', `replay: ${option} takes ${takes}, got ${String(got)}`);
}
