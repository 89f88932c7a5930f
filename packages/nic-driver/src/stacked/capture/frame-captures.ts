import type { NetDevice } from '@softnet/contract';
import { defineService } from '@softnet/contract';
import type { Capture, CaptureOptions } from '../../pcap/captures.ts';
import type { StackedOptions } from '../stacked-options.ts';

/** Options of `DeviceKind.create` of kind 'capture': where to and what, as of {@link Captures}. */
export interface FrameCaptureOptions extends StackedOptions, Omit<CaptureOptions, 'device' | 'drops'> {}

/** What devices of kind 'capture' have seen. A **corridor**. */
export interface FrameCaptures {
  /** How it goes, and what its ring has. @throws NetError EINVAL for another device. */
  of(device: NetDevice): Pick<Capture, 'frames' | 'missed' | 'error' | 'closed' | 'dump'>;
}
export const FrameCaptures = defineService<FrameCaptures>({ name: 'frame-captures', version: '1.0.0' });
