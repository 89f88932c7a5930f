import { playAbort, playDryRun, playReplace, playShutdown } from './acts-of-life.ts';
import { playCapture, playHosts, playLarge, playPing, playTraffic, playUdp } from './acts-of-packets.ts';
import { playForce, playIpv6, playLoad, playUnload } from './acts-of-unloading.ts';
import { playTcpReplace, playWeb } from './acts-of-web.ts';
import type { ReportStage } from './report-stage.ts';

/** One act of the report. */
export interface Act {
  readonly title: string;
  play(stage: ReportStage): Promise<void>;
}

/** The acts, in their order: each goes on where the one before ended. */
export const acts: readonly Act[] = Object.freeze([
  { title: 'two hosts, a and b, and a router between them', play: playHosts },
  { title: 'ping through the router, both families', play: playPing },
  { title: 'UDP, both families', play: playUdp },
  { title: 'a large datagram, in fragments', play: playLarge },
  { title: 'TCP: a web server, reached from this machine', play: playWeb },
  { title: 'a capture', play: playCapture },
  { title: 'programs that talk all the while', play: playTraffic },
  { title: 'a dry run', play: playDryRun },
  { title: 'unload under traffic', play: playUnload },
  { title: 'load again', play: playLoad },
  { title: 'IPv6 goes and comes back, IPv4 does not notice', play: playIpv6 },
  { title: 'an unload that is called off', play: playAbort },
  { title: 'replace, with sockets alive', play: playReplace },
  { title: 'replace TCP in the midst of a download', play: playTcpReplace },
  { title: 'an unload by force', play: playForce },
  { title: 'shutdown', play: playShutdown },
]);
