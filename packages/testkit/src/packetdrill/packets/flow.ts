/** One flow between the kernel under test and the script, and how the script's numbers are those on the wire. */
export class Flow {
  readonly protocol: number;
  /** Of the kernel under test. */
  localAddress: string;
  remoteAddress: string;
  /** 0: not known yet. */
  localPort: number;
  remotePort: number;
  /** What the kernel's sequence numbers are more than the script's; null until its first SYN. */
  localBase: number | null = null;
  /** The same of its time stamps. */
  stampBase: number | null = null;
  /** What the script's own are more on the wire. */
  readonly remoteBase = 0;
  /** Of the script's first SYN, as it says it; null: none was sent. */
  remoteIsn: number | null = null;
  /** SYNs that have passed, and whether the script has sent anything else since its own. */
  sawLocalSyn = false;
  isUnderWay = false;
  /** The last packet that the kernel sent, from its IP header on: what an error quotes. */
  lastSent: Uint8Array | null = null;
  /** Of the last echo request. */
  echoId = 0;

  constructor(protocol: number, localAddress: string, remoteAddress: string, localPort: number, remotePort: number) {
    this.protocol = protocol;
    this.localAddress = localAddress;
    this.remoteAddress = remoteAddress;
    this.localPort = localPort;
    this.remotePort = remotePort;
  }
}
