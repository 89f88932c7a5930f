import type { ModuleContext } from '@softnet/contract';

/** `net.congestion.NAME.slow_start_limit`: L of RFC 3465 §2.3. */
export function defineSlowStartLimit(ctx: ModuleContext, name: string): () => number {
  const limit = ctx.sysctl.define(`net.congestion.${name}.slow_start_limit`, {
    ...{ type: 'int', default: 0, min: 0, max: 1024 },
    summary: 'packets by which one acknowledgement may raise cwnd in slow start, after a timeout 1 (RFC 3465 §2.3); 0: no limit',
  });
  return () => limit.value;
}
