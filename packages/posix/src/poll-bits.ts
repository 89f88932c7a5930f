import { POLL } from '@softnet/contract';

/** `POLL*` that stand beside those of the contract: of data and room as such, and of bands, which nobody has but who sends datagrams; MSG nobody says. */
export const POLL_KIN = Object.freeze({ RDNORM: 0x40, RDBAND: 0x80, WRNORM: 0x100, WRBAND: 0x200, MSG: 0x400 } as const);
/** POLLNVAL: there is no such descriptor. */
export const POLL_INVALID = 0x20;
/** Told whether asked for or not. */
export const POLL_ALWAYS = POLL.ERR | POLL.HUP;
/** Whatever may have changed. */
export const POLL_ANY = 0xffff;

/** What may be asked for by who is to hear of data. */
export const READ_KEYS = POLL.IN | POLL.PRI | POLL_KIN.RDNORM | POLL_KIN.RDBAND;
const WRITE_KEYS = POLL.OUT | POLL_KIN.WRNORM | POLL_KIN.WRBAND;

/** What Linux says with IN and OUT. */
export function withKin(bits: number, isStream: boolean): number {
  let all = bits;
  if ((bits & POLL.IN) !== 0) all |= POLL_KIN.RDNORM;
  if ((bits & POLL.OUT) !== 0) all |= isStream ? POLL_KIN.WRNORM : POLL_KIN.WRNORM | POLL_KIN.WRBAND;
  return all;
}

/** What may be asked for by who is to hear of a change of these bits: Linux's keys of `sock_def_readable` and its kin. */
export function keysOf(bits: number): number {
  return bits | ((bits & POLL.IN) !== 0 ? READ_KEYS : 0) | ((bits & POLL.OUT) !== 0 ? WRITE_KEYS : 0);
}
