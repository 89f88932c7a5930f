/** What the machine asks of `net.ipv4.tcp_*`, by Linux's names without their prefix; read at each use. Times in the unit that Linux has. */
export interface TcpSettings {
  readonly timestamps: boolean;
  readonly sack: boolean;
  readonly dsack: boolean;
  readonly windowScaling: boolean;
  /** Least, first, and most bytes of a buffer. */
  readonly rmem: readonly number[];
  readonly wmem: readonly number[];
  readonly moderateRcvbuf: boolean;
  readonly advWinScale: number;
  readonly synRetries: number;
  /** Retransmissions of a SYN before the timeout doubles, beside those. */
  readonly synLinearTimeouts: number;
  readonly synackRetries: number;
  readonly retries1: number;
  readonly retries2: number;
  readonly orphanRetries: number;
  /** Seconds. */
  readonly finTimeout: number;
  readonly keepaliveTime: number;
  readonly keepaliveIntvl: number;
  readonly keepaliveProbes: number;
  readonly slowStartAfterIdle: boolean;
  readonly autocorking: boolean;
  readonly stdurg: boolean;
  readonly rfc1337: boolean;
  readonly abortOnOverflow: boolean;
  /** 0: never, 1: when the queue of SYNs is full, 2: always. */
  readonly syncookies: number;
  readonly maxSynBacklog: number;
  readonly maxTwBuckets: number;
  readonly maxOrphans: number;
  /** A second; 0x7fffffff: without a limit. */
  readonly challengeAckLimit: number;
  /** ms. */
  readonly invalidRatelimit: number;
  readonly minSndMss: number;
  readonly notsentLowat: number;
  readonly limitOutputBytes: number;
  /** What is sent again may go in other segments than before. */
  readonly retransCollapse: boolean;
  readonly reordering: number;
  /** Packets: initial window (RFC 6928). */
  readonly initialCwnd: number;
  /** ms: Linux's TCP_RTO_MIN, TCP_DELACK_MIN and TCP_TIMEWAIT_LEN. */
  readonly rtoMinMs: number;
  readonly timeWaitMs: number;
  /** 0: every second full segment is acknowledged however they came; 1: a merged frame once. Ours. */
  readonly ackMerged: boolean;
  readonly congestionControl: string;
}
