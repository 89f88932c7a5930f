/** What whoever knows Linux may type, and what it is called here. */
const HERE: ReadonlyMap<string, string> = new Map([
  ['tcpdump', 'capture'],
  ['tshark', 'capture'],
  ['insmod', 'modprobe'],
  ['dmesg', 'log'],
  ['ping6', 'ping'],
  ['arping', 'ping'],
  ['tracepath', 'traceroute'],
  ['traceroute6', 'traceroute'],
  ['mtr', 'traceroute'],
  ['ipmaddr', 'ip maddr'],
  ['lsof', 'holders'],
  ['ifconfig', 'ip addr'],
  ['route', 'ip route'],
  ['arp', 'ip neigh'],
  ['nc', 'udp'],
  ['ss', 'holders'],
  ['netstat', 'holders'],
  ['free', 'mem'],
]);

/** The command that does what this one does on Linux; undefined: none. */
export function calledHere(word: string): string | undefined {
  return HERE.get(word);
}
