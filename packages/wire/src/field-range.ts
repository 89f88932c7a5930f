import { NetError } from '@softnet/contract';

/** What `emit` asks of its values. @throws NetError EINVAL, naming field, value and range. */
export function inRange(field: string, value: number, max: number): number {
  if (!Number.isInteger(value) || value < 0 || value > max) throw refused(field, String(value), `an integer from 0 to ${max}`);
  return value;
}

/** 32 bits, which may be said as int32 or as unsigned. */
export function word(field: string, value: number): number {
  if (!Number.isInteger(value) || value < -0x80000000 || value > 0xffffffff) {
    throw refused(field, String(value), 'an integer of 32 bits');
  }
  return value | 0;
}

export function atMost(field: string, lenBytes: number, maxBytes: number): number {
  if (lenBytes > maxBytes) throw refused(field, `${lenBytes} bytes long`, `at most ${maxBytes}`);
  return lenBytes;
}

export function refused(field: string, value: string, wanted: string): NetError {
  return new NetError('EINVAL', `${field} is ${value}: give ${wanted}`);
}
