export { complianceChecks, describeCompliance, runCompliance } from './compliance/compliance.ts';
export {
  type ComplianceCheck,
  ComplianceFailure,
  type ComplianceReport,
  type ComplianceResult,
  type ComplianceSubject,
  type Knock,
  type Traffic,
  type Verdict,
} from './compliance/subject.ts';
export { talkTraffic } from './compliance/talk-traffic.ts';
export { TestExchange } from './exchange/module.ts';
export * from './exchange/service.ts';
export { LeakGuard } from './leak-guard.ts';
export * from './link/cable.ts';
export { TestLink } from './link/module.ts';
export * from './link/service.ts';
export { type Datagram, DatagramUser, type DatagramUserOptions } from './net/datagram-user.ts';
export { type HeardError, hearErrors } from './net/hear-errors.ts';
export { KernelTime, KernelTimeModule } from './net/kernel-time.ts';
export { type CableEnd, Net, type NetOptions, type RoutedHosts, routedHosts } from './net/net.ts';
export { NetHost } from './net/net-host.ts';
export { Pinger, type PingerOptions, type PingOptions, type Pong, ping } from './net/pinger.ts';
export { LINUX_HOST, QUIET_HOST } from './net/quiet-host.ts';
export type { NextHopWords, RouteWords, RuleWords, WayWords } from './net/routing-words.ts';
export { HOST_STACK } from './net/stack.ts';
export { type TraceAnswer, Tracer, type TracerOptions } from './net/tracer.ts';
export { TalkModule } from './talk/module.ts';
export * from './talk/service.ts';
export * from './topology.ts';
export * from './traffic.ts';
export { WireTrace } from './wire-trace.ts';
