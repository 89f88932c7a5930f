/** A setting of `net.ipv4.tcp_*`, or of ours, that is one integer: where it stands in `SocketSettings`, if anywhere, default, range, what it does. */
export interface IntSetting {
  readonly name: string;
  /** Null: it is taken, and does nothing. */
  readonly field: string | null;
  /** How the integer becomes the field's value. Default: as it is. */
  readonly as?: 'bool';
  readonly default: number;
  readonly min: number;
  readonly max: number;
  readonly unit?: string;
  readonly summary: string;
}

const BYTE = Object.freeze({ min: 0, max: 255 });
const WHETHER = Object.freeze({ as: 'bool', min: 0, max: 255 });
const INT = Object.freeze({ min: 0, max: 0x7fffffff });
const ANY = Object.freeze({ min: -0x80000000, max: 0x7fffffff });
const SECONDS = Object.freeze({ min: 1, max: 0x7fffffff, unit: 'seconds' });

/** What is obeyed: names, defaults and ranges of Linux 6.1. */
export const OBEYED: readonly IntSetting[] = Object.freeze([
  {
    name: 'net.ipv4.tcp_timestamps',
    field: 'timestamps',
    ...WHETHER,
    default: 1,
    summary: 'whether timestamps are offered and taken (RFC 7323 §3)',
  },
  {
    name: 'net.ipv4.tcp_sack',
    field: 'sack',
    ...WHETHER,
    default: 1,
    summary: 'whether selective acknowledgements are offered and taken (RFC 2018)',
  },
  { name: 'net.ipv4.tcp_dsack', field: 'dsack', ...WHETHER, default: 1, summary: 'whether duplicates are told by SACK (RFC 2883)' },
  {
    name: 'net.ipv4.tcp_window_scaling',
    field: 'windowScaling',
    ...WHETHER,
    default: 1,
    summary: 'whether windows are scaled (RFC 7323 §2)',
  },
  {
    name: 'net.ipv4.tcp_moderate_rcvbuf',
    field: 'moderateRcvbuf',
    ...WHETHER,
    default: 1,
    summary: 'whether receive buffers grow by themselves',
  },
  {
    name: 'net.ipv4.tcp_adv_win_scale',
    field: 'advWinScale',
    ...{ default: 1, min: -31, max: 31 },
    summary: 'part of a receive buffer that is no window: 1/2^n; of a negative one 1/2^-n is the window',
  },
  { name: 'net.ipv4.tcp_syn_retries', field: 'synRetries', default: 6, min: 1, max: 127, summary: 'how often a SYN is sent again' },
  {
    name: 'net.ipv4.tcp_syn_linear_timeouts',
    field: 'synLinearTimeouts',
    ...{ default: 0, min: 0, max: 127 },
    summary: 'how often a SYN is sent again, beside that, before the timeout doubles; newer Linux: 4, against RFC 6298 (5.5)',
  },
  { name: 'net.ipv4.tcp_synack_retries', field: 'synackRetries', ...BYTE, default: 5, summary: 'how often a SYN-ACK is sent again' },
  {
    name: 'net.ipv4.tcp_retries1',
    field: 'retries1',
    ...BYTE,
    default: 3,
    summary: 'timeouts after which another way is looked for (RFC 1122 §4.2.3.5, R1)',
  },
  { name: 'net.ipv4.tcp_retries2', field: 'retries2', ...BYTE, default: 15, summary: 'timeouts after which a connection is given up (R2)' },
  {
    name: 'net.ipv4.tcp_orphan_retries',
    field: 'orphanRetries',
    ...BYTE,
    default: 0,
    summary: 'the same, of one that its user has closed; 0: 8',
  },
  {
    name: 'net.ipv4.tcp_fin_timeout',
    field: 'finTimeout',
    ...SECONDS,
    default: 60,
    summary: 'how long one that its user has closed stays in FIN-WAIT-2',
  },
  {
    name: 'net.ipv4.tcp_keepalive_time',
    field: 'keepaliveTime',
    ...{ ...SECONDS, default: 7200 },
    summary: 'silence after which a peer is probed, of sockets with SO_KEEPALIVE',
  },
  { name: 'net.ipv4.tcp_keepalive_intvl', field: 'keepaliveIntvl', ...SECONDS, default: 75, summary: 'time between such probes' },
  {
    name: 'net.ipv4.tcp_keepalive_probes',
    field: 'keepaliveProbes',
    ...BYTE,
    default: 9,
    summary: 'such probes without an answer, at most',
  },
  {
    name: 'net.ipv4.tcp_slow_start_after_idle',
    field: 'slowStartAfterIdle',
    ...WHETHER,
    default: 1,
    summary: 'whether cwnd decays while nothing is sent (RFC 2861)',
  },
  {
    name: 'net.ipv4.tcp_autocorking',
    field: 'autocorking',
    ...WHETHER,
    default: 1,
    summary: 'whether small writes wait while others are on their way to the device',
  },
  {
    name: 'net.ipv4.tcp_stdurg',
    field: 'stdurg',
    ...WHETHER,
    default: 0,
    summary: 'whether the urgent pointer points to the octet (RFC 9293) or behind it (RFC 793, BSD)',
  },
  { name: 'net.ipv4.tcp_rfc1337', field: 'rfc1337', ...WHETHER, default: 0, summary: 'whether TIME-WAIT ignores RST (RFC 1337)' },
  {
    name: 'net.ipv4.tcp_abort_on_overflow',
    field: 'abortOnOverflow',
    ...WHETHER,
    default: 0,
    summary: 'whether clients are reset that a listener has no room for',
  },
  {
    name: 'net.ipv4.tcp_syncookies',
    field: 'syncookies',
    ...BYTE,
    default: 1,
    summary: 'SYN cookies: 0 never, 1 when the queue of SYNs is full, 2 always (RFC 4987)',
  },
  {
    name: 'net.ipv4.tcp_max_syn_backlog',
    field: 'maxSynBacklog',
    ...INT,
    default: 4096,
    summary: 'connections that a listener may have half open',
  },
  { name: 'net.ipv4.tcp_max_tw_buckets', field: 'maxTwBuckets', ...INT, default: 262144, summary: 'connections in TIME-WAIT, at most' },
  {
    name: 'net.ipv4.tcp_max_orphans',
    field: 'maxOrphans',
    ...INT,
    default: 65536,
    summary: 'connections that their users have closed and that are not over, at most',
  },
  {
    name: 'net.ipv4.tcp_tw_reuse',
    field: 'twReuse',
    ...{ default: 2, min: 0, max: 2 },
    summary: 'whether a new connection may take the place of a TIME-WAIT when it is opened here: 0 no, 1 yes, 2 over loopback',
  },
  {
    name: 'net.ipv4.tcp_challenge_ack_limit',
    field: 'challengeAckLimit',
    ...INT,
    default: 0x7fffffff,
    summary: 'challenge ACKs a second (RFC 5961 §7)',
  },
  {
    name: 'net.ipv4.tcp_invalid_ratelimit',
    field: 'invalidRatelimit',
    ...{ ...INT, unit: 'ms', default: 500 },
    summary: 'least time between two answers of a connection to what is out of its window',
  },
  {
    name: 'net.ipv4.tcp_min_snd_mss',
    field: 'minSndMss',
    default: 48,
    min: 48,
    max: 65535,
    unit: 'bytes',
    summary: 'no segment is made smaller because a peer asks for it',
  },
  {
    name: 'net.ipv4.tcp_limit_output_bytes',
    field: 'limitOutputBytes',
    ...{ ...INT, unit: 'bytes', default: 1048576 },
    summary: 'what a connection may have in the queues of devices',
  },
  {
    name: 'net.ipv4.tcp_reordering',
    field: 'reordering',
    ...INT,
    default: 3,
    summary: 'by how many segments a packet may come late before it is taken for lost',
  },
  {
    name: 'net.ipv4.tcp_notsent_lowat',
    field: 'notsentLowat',
    min: 0,
    max: 0xffffffff,
    unit: 'bytes',
    default: 0xffffffff,
    summary: 'a socket is writable while fewer were not sent at all',
  },
  { name: 'net.core.somaxconn', field: 'somaxconn', ...INT, default: 4096, summary: 'most that listen() sets' },
  {
    name: 'net.tcp.initial_cwnd',
    field: 'initialCwnd',
    default: 10,
    min: 1,
    max: 1000,
    summary: 'packets of the initial window (RFC 6928)',
  },
  {
    name: 'net.tcp.rto_min_ms',
    field: 'rtoMinMs',
    default: 200,
    min: 1,
    max: 120_000,
    unit: 'ms',
    summary: 'least retransmission timeout (RFC 6298 §2.4 says 1 s; Linux has 200 ms)',
  },
  {
    name: 'net.tcp.time_wait_ms',
    field: 'timeWaitMs',
    default: 60_000,
    min: 1,
    max: 600_000,
    unit: 'ms',
    summary: 'how long TIME-WAIT lasts: 2 MSL (RFC 9293 §3.4.2)',
  },
  {
    name: 'net.tcp.ack_merged',
    field: 'ackMerged',
    as: 'bool',
    default: 1,
    min: 0,
    max: 1,
    summary: 'whether a frame that GRO has merged is acknowledged once; else every second segment in it',
  },
]);

/** What Linux has beside, so that who sets it is not refused: it is taken, and does nothing yet. */
export const TAKEN: readonly IntSetting[] = Object.freeze([
  { name: 'net.ipv4.tcp_ecn', field: null, default: 2, min: 0, max: 2, summary: 'explicit congestion notification (RFC 3168)' },
  { name: 'net.ipv4.tcp_ecn_fallback', field: null, ...BYTE, default: 1, summary: 'giving up ECN where the way does not let it pass' },
  { name: 'net.ipv4.tcp_recovery', field: null, ...BYTE, default: 1, summary: 'RACK (RFC 8985)' },
  { name: 'net.ipv4.tcp_early_retrans', field: null, default: 3, min: 0, max: 4, summary: 'tail loss probes (RFC 8985)' },
  { name: 'net.ipv4.tcp_frto', field: null, ...BYTE, default: 2, summary: 'finding spurious timeouts (RFC 5682)' },
  { name: 'net.ipv4.tcp_fastopen', field: null, ...ANY, default: 1, summary: 'fast open (RFC 7413)' },
  { name: 'net.ipv4.tcp_fastopen_blackhole_timeout_sec', field: null, ...INT, default: 0, summary: 'fast open where it is filtered' },
  { name: 'net.ipv4.tcp_max_reordering', field: null, ...ANY, default: 300, summary: 'bound of what reordering is learnt' },
  { name: 'net.ipv4.tcp_app_win', field: null, default: 31, min: 0, max: 31, summary: 'part of the window that is the program’s' },
  { name: 'net.ipv4.tcp_mtu_probing', field: null, ...BYTE, default: 0, summary: 'packetization layer path MTU discovery (RFC 4821)' },
  { name: 'net.ipv4.tcp_base_mss', field: null, ...ANY, default: 1024, summary: 'where MTU probing begins' },
  { name: 'net.ipv4.tcp_mtu_probe_floor', field: null, default: 48, min: 48, max: 65535, summary: 'where MTU probing ends' },
  { name: 'net.ipv4.tcp_probe_threshold', field: null, ...ANY, default: 8, summary: 'when MTU probing stops' },
  { name: 'net.ipv4.tcp_probe_interval', field: null, ...INT, default: 600, summary: 'how often MTU probing begins again' },
  { name: 'net.ipv4.tcp_min_rtt_wlen', field: null, default: 300, min: 0, max: 86400, summary: 'window of the least round trip' },
  { name: 'net.ipv4.tcp_min_tso_segs', field: null, default: 2, min: 1, max: 255, summary: 'least size of what is cut late' },
  { name: 'net.ipv4.tcp_tso_win_divisor', field: null, ...BYTE, default: 3, summary: 'part of the window that goes at once' },
  { name: 'net.ipv4.tcp_tso_rtt_log', field: null, ...BYTE, default: 9, summary: 'size of what is cut late, by the round trip' },
  { name: 'net.ipv4.tcp_pacing_ss_ratio', field: null, default: 200, min: 0, max: 1000, summary: 'pacing in slow start' },
  { name: 'net.ipv4.tcp_pacing_ca_ratio', field: null, default: 120, min: 0, max: 1000, summary: 'pacing in congestion avoidance' },
  { name: 'net.ipv4.tcp_thin_linear_timeouts', field: null, ...BYTE, default: 0, summary: 'timeouts of thin streams' },
  {
    name: 'net.ipv4.tcp_no_metrics_save',
    field: null,
    ...BYTE,
    default: 0,
    summary: 'nothing is remembered of destinations, whatever it says',
  },
  {
    name: 'net.ipv4.tcp_no_ssthresh_metrics_save',
    field: null,
    default: 1,
    min: 0,
    max: 1,
    summary: 'nothing is remembered of destinations, whatever it says',
  },
  {
    name: 'net.ipv4.tcp_retrans_collapse',
    field: 'retransCollapse',
    ...WHETHER,
    default: 1,
    summary: 'what is sent again may be merged with what is behind it',
  },
  {
    name: 'net.ipv4.tcp_workaround_signed_windows',
    field: null,
    ...BYTE,
    default: 0,
    summary: 'windows below 32 KiB for peers that take them for signed',
  },
  { name: 'net.ipv4.tcp_fwmark_accept', field: null, ...BYTE, default: 0, summary: 'children with the mark of their SYN' },
  { name: 'net.ipv4.tcp_l3mdev_accept', field: null, default: 0, min: 0, max: 1, summary: 'children bound to the device of their SYN' },
  { name: 'net.ipv4.tcp_reflect_tos', field: null, default: 0, min: 0, max: 1, summary: 'children with the DSCP of their SYN' },
  {
    name: 'net.ipv4.tcp_migrate_req',
    field: null,
    default: 0,
    min: 0,
    max: 1,
    summary: 'requests that go to another listener of the port',
  },
  { name: 'net.ipv4.tcp_comp_sack_delay_ns', field: null, ...INT, default: 1_000_000, summary: 'delayed SACKs' },
  { name: 'net.ipv4.tcp_comp_sack_slack_ns', field: null, ...INT, default: 100_000, summary: 'delayed SACKs' },
  { name: 'net.ipv4.tcp_comp_sack_nr', field: null, ...BYTE, default: 44, summary: 'delayed SACKs' },
]);
