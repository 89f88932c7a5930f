import { isIP } from 'node:net';
import type { NetError } from '@softnet/contract';
import { ADDRESS_FAMILY, ERRNO, POLL, SO, SOCK_TYPE, SOL } from '@softnet/contract';
import type { EndpointUser } from '../endpoint/endpoint.ts';
import { Endpoint } from '../endpoint/endpoint.ts';
import type { LookupAddress } from '../endpoint/lookup.ts';
import type { NodeHost } from '../endpoint/node-host.ts';
import type { SystemCallError } from '../errors/errno-error.ts';
import { errnoError } from '../errors/errno-error.ts';
import type { ConnectOptions } from './connect-arguments.ts';

/** Node's default of `autoSelectFamilyAttemptTimeout`. */
const ATTEMPT_MS = 250;

/** What comes of it. */
export interface Attempts {
  emit(event: string, ...given: unknown[]): boolean;
  connected(endpoint: Endpoint): void;
  failed(error: Error): void;
  /** There are several addresses: those that were tried, which grow. */
  several(attempted: string[]): void;
  /** The kernel closed it by force. */
  gone(error: NetError): void;
}

/** The way to a connection: the name is looked up, and its addresses are tried one after the other (RFC 8305 in short). */
export class Connecting implements EndpointUser {
  readonly #host: NodeHost;
  readonly #options: ConnectOptions;
  readonly #to: Attempts;
  readonly #errors: SystemCallError[] = [];
  readonly #attempted: string[] = [];
  #left: LookupAddress[] = [];
  #endpoint: Endpoint | null = null;
  #at: LookupAddress | null = null;
  #cancelTimer: (() => void) | null = null;
  #over = false;

  constructor(host: NodeHost, options: ConnectOptions, to: Attempts) {
    this.#host = host;
    this.#options = options;
    this.#to = to;
  }

  begin(): void {
    const { host = 'localhost', path, lookup = this.#host.lookup, localAddress, autoSelectFamily = true } = this.#options;
    if (path) {
      process.nextTick(() => this.#fail(errnoError(-ERRNO.EAFNOSUPPORT, 'connect', { address: path })));
      return;
    }
    const name = host || 'localhost';
    if (isIP(name) !== 0) {
      process.nextTick(() => this.#try([{ address: name, family: isIP(name) }]));
      return;
    }
    const family = this.#options.family ?? 0;
    const all = autoSelectFamily && family === 0 && !localAddress;
    lookup(name, { family, all }, (error, found, answered = 0) => {
      if (this.#over) return;
      const list = typeof found === 'string' ? [{ address: found, family: answered || isIP(found) }] : (found ?? []);
      if (error) this.#to.emit('lookup', error, undefined, undefined, name);
      else for (const each of list) this.#to.emit('lookup', null, each.address, each.family, name);
      if (error) this.#fail(error);
      else this.#try(all ? alternating(list) : list);
    });
  }

  /** Nobody waits for it any more. */
  stop(): void {
    this.#over = true;
    this.#cancelTimer?.();
    this.#endpoint?.close();
  }

  #try(list: LookupAddress[]): void {
    this.#left = list;
    if (list.length > 1) this.#to.several(this.#attempted);
    this.#next();
  }

  #next(): void {
    if (this.#over) return;
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    const at = this.#left.shift();
    if (at === undefined) {
      this.#fail(this.#whole());
      return;
    }
    this.#at = at;
    this.#attempted.push(`${at.address}:${this.#port}`);
    this.#to.emit('connectionAttempt', at.address, this.#port, at.family);
    if (this.#over) return;
    this.#endpoint = new Endpoint(this.#host, this, 'tcp');
    const result = this.#start(this.#endpoint, at);
    if (result === 0) this.#endpoint.schedule();
    else if (result !== -ERRNO.EINPROGRESS) process.nextTick(() => this.#missed(result));
    if (this.#left.length > 0) this.#limitAttempt();
  }

  #limitAttempt(): void {
    const limitMs = Math.max(10, this.#options.autoSelectFamilyAttemptTimeout ?? ATTEMPT_MS);
    const late = (): void => {
      const { address, family } = this.#at!;
      this.#to.emit('connectionAttemptTimeout', address, this.#port, family);
      this.#missed(-ERRNO.ETIMEDOUT);
    };
    this.#cancelTimer = this.#host.face.after(limitMs * 1000, () => process.nextTick(late), 'net.connect');
  }

  #start(endpoint: Endpoint, { address, family }: LookupAddress): number {
    const { localAddress, localPort } = this.#options;
    const opened = endpoint.open(family === 6 ? ADDRESS_FAMILY.INET6 : ADDRESS_FAMILY.INET, SOCK_TYPE.STREAM);
    if (opened < 0) return opened;
    if (localAddress || localPort) {
      endpoint.setInt(SOL.SOCKET, SO.REUSEADDR, 1);
      const bound = endpoint.bind(localAddress || (family === 6 ? '::' : '0.0.0.0'), localPort ?? 0);
      if (bound < 0) return bound;
    }
    return endpoint.connect(address, this.#port);
  }

  /** EAGAIN and the like of `connect` come by SO_ERROR. */
  woken(): void {
    const endpoint = this.#endpoint!;
    const error = endpoint.takeError();
    if (error < 0) this.#missed(error);
    else if ((endpoint.poll() & POLL.OUT) !== 0) {
      this.#over = true;
      this.#cancelTimer?.();
      this.#to.connected(endpoint);
    }
  }

  ended(error: NetError): void {
    if (this.#over) return;
    this.stop();
    this.#to.gone(error);
  }

  leaving(): void {}

  #missed(result: number): void {
    if (this.#over || this.#at === null) return;
    const { address, family } = this.#at;
    this.#at = null;
    this.#endpoint?.close();
    const error = errnoError(result, 'connect', { address, port: this.#port });
    this.#errors.push(error);
    this.#to.emit('connectionAttemptFailed', address, this.#port, family, error);
    this.#next();
  }

  get #port(): number {
    return Number(this.#options.port);
  }

  /** One error, or with several addresses all of them. */
  #whole(): Error {
    const [first] = this.#errors;
    if (first === undefined) return errnoError(-ERRNO.EADDRNOTAVAIL, 'connect');
    if (this.#errors.length === 1) return first;
    return Object.assign(new AggregateError(this.#errors), { code: first.code });
  }

  #fail(error: Error): void {
    if (this.#over) return;
    this.stop();
    this.#to.failed(error);
  }
}

/** The families take turns, from the first one's on; each address once. */
function alternating(list: readonly LookupAddress[]): LookupAddress[] {
  const once = list.filter((each, index) => list.findIndex(({ address }) => address === each.address) === index);
  const first = once.filter(({ family }) => family === once[0]!.family);
  const second = once.filter(({ family }) => family !== once[0]!.family);
  return Array.from({ length: Math.max(first.length, second.length) }, (_, i) => [
    ...first.slice(i, i + 1),
    ...second.slice(i, i + 1),
  ]).flat();
}
