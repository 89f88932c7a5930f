/**
 * Errors of callers. Bad bytes never throw (they are drops with a reason); a caller's mistake throws one `NetError`
 * whose `code` is an errno that Node and Linux users know.
 */

/** The errno names that softnet gives, with their Linux numbers (asm-generic/errno.h). */
export const ERRNO = Object.freeze({
  EPERM: 1,
  ENOENT: 2,
  EINTR: 4,
  EIO: 5,
  ENXIO: 6,
  E2BIG: 7,
  EBADF: 9,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  EFAULT: 14,
  EBUSY: 16,
  EEXIST: 17,
  EXDEV: 18,
  ENODEV: 19,
  EINVAL: 22,
  ENFILE: 23,
  EMFILE: 24,
  ENOTTY: 25,
  ENOSPC: 28,
  EPIPE: 32,
  EDOM: 33,
  ERANGE: 34,
  ENOSYS: 38,
  ELOOP: 40,
  ENODATA: 61,
  EPROTO: 71,
  EOVERFLOW: 75,
  ELIBBAD: 80,
  EUSERS: 87,
  ENOTSOCK: 88,
  EDESTADDRREQ: 89,
  EMSGSIZE: 90,
  EPROTOTYPE: 91,
  ENOPROTOOPT: 92,
  EPROTONOSUPPORT: 93,
  ESOCKTNOSUPPORT: 94,
  EOPNOTSUPP: 95,
  EPFNOSUPPORT: 96,
  EAFNOSUPPORT: 97,
  EADDRINUSE: 98,
  EADDRNOTAVAIL: 99,
  ENETDOWN: 100,
  ENETUNREACH: 101,
  ENETRESET: 102,
  ECONNABORTED: 103,
  ECONNRESET: 104,
  ENOBUFS: 105,
  EISCONN: 106,
  ENOTCONN: 107,
  ESHUTDOWN: 108,
  ETIMEDOUT: 110,
  ECONNREFUSED: 111,
  EHOSTDOWN: 112,
  EHOSTUNREACH: 113,
  EALREADY: 114,
  EINPROGRESS: 115,
  ECANCELED: 125,
} as const);

/** One of the errno names in {@link ERRNO}. */
export type Errno = keyof typeof ERRNO;

/** What a {@link NetError} may say beyond its sentence. */
export interface NetErrorDetails {
  /** The call that failed, in Node's manner: 'connect', 'load', 'unload'. */
  readonly syscall?: string;
  /** The module at fault or concerned, as `name#generation` or a bare name. */
  readonly module?: string;
  /** The error that led to this one. */
  readonly cause?: unknown;
}

/** A caller's mistake, or a refusal: what failed, on which object, and what to do about it. */
export class NetError extends Error {
  override readonly name = 'NetError';
  /** The errno's name, as Node gives it in `error.code`. */
  readonly code: Errno;
  /** The errno as Node gives it: Linux's number, negated. */
  readonly errno: number;
  readonly syscall: string | undefined;
  readonly module: string | undefined;

  constructor(code: Errno, sentence: string, details: NetErrorDetails = {}) {
    super(`${code}: ${sentence}`, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.errno = -ERRNO[code];
    this.syscall = details.syscall;
    this.module = details.module;
  }
}

/**
 * A bug in a module (ours or a stranger's), said at the culprit: double release, use of a dead object, a hook that
 * throws or never settles. `module` is `name#generation`.
 */
export class ModuleFault extends Error {
  override readonly name = 'ModuleFault';
  readonly module: string;

  constructor(module: string, sentence: string, cause?: unknown) {
    super(`${module}: ${sentence}`, cause === undefined ? undefined : { cause });
    this.module = module;
  }
}
