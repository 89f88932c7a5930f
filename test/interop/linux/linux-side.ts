/** A real Linux kernel on the other end of a device: a network namespace, or a guest. */
export interface LinuxSide {
  /** For titles. */
  readonly name: string;
  /** Its addresses on the link, and their prefixes are softnet's too. */
  readonly addresses: readonly [ipv4: string, ipv6: string];
  /** Runs a shell command there. */
  exec(command: string): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }>;
  /** An echo service on both families. Returns how to end it. */
  serve(port: number): Promise<() => void>;
  /** Sends a datagram of each size to `address` and checks what comes back; says what was wrong. */
  exchange(address: string, port: number, sizes: readonly number[]): Promise<readonly string[]>;
}

/** Says why tests do not run: nothing is skipped in silence. */
export function skipAloud(what: string, reason: string | null): boolean {
  if (reason !== null) console.warn(`skipped: ${what}: ${reason}`);
  return reason !== null;
}
