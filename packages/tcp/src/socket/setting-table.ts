/** A setting of `net.ipv4.tcp_*`, or of ours, that is one integer: where it stands in `SettingValues`, if anywhere, default, range, what it does. */
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

function tcp(field: string, linux: string, rest: Omit<IntSetting, 'name' | 'field'>): IntSetting {
  return { name: `net.ipv4.tcp_${linux}`, field, ...rest };
}

/** What is obeyed: names, defaults and ranges of Linux 6.1. */
export const OBEYED: readonly IntSetting[] = Object.freeze([
  tcp('timestamps', 'timestamps', { ...WHETHER, default: 1, summary: 'whether timestamps are offered and taken (RFC 7323 §3)' }),
  tcp('sack', 'sack', { ...WHETHER, default: 1, summary: 'whether selective acknowledgements are offered and taken (RFC 2018)' }),
  tcp('dsack', 'dsack', { ...WHETHER, default: 1, summary: 'whether duplicates are told by SACK (RFC 2883)' }),
  tcp('windowScaling', 'window_scaling', { ...WHETHER, default: 1, summary: 'whether windows are scaled (RFC 7323 §2)' }),
  tcp('moderateRcvbuf', 'moderate_rcvbuf', { ...WHETHER, default: 1, summary: 'whether receive buffers grow by themselves' }),
  tcp('advWinScale', 'adv_win_scale', {
    ...{ default: 1, min: -31, max: 31 },
    summary: 'part of a receive buffer that is no window: 1/2^n; of a negative one 1/2^-n is the window',
  }),
  tcp('synRetries', 'syn_retries', { default: 6, min: 1, max: 127, summary: 'how often a SYN is sent again' }),
  tcp('synLinearTimeouts', 'syn_linear_timeouts', {
    ...{ default: 0, min: 0, max: 127 },
    summary: 'how often a SYN is sent again, beside that, before the timeout doubles; newer Linux: 4, against RFC 6298 (5.5)',
  }),
  tcp('synackRetries', 'synack_retries', { ...BYTE, default: 5, summary: 'how often a SYN-ACK is sent again' }),
  tcp('retries1', 'retries1', { ...BYTE, default: 3, summary: 'timeouts after which another way is looked for (RFC 1122 §4.2.3.5, R1)' }),
  tcp('retries2', 'retries2', { ...BYTE, default: 15, summary: 'timeouts after which a connection is given up (R2)' }),
  tcp('orphanRetries', 'orphan_retries', { ...BYTE, default: 0, summary: 'the same, of one that its user has closed; 0: 8' }),
  tcp('finTimeout', 'fin_timeout', { ...SECONDS, default: 60, summary: 'how long one that its user has closed stays in FIN-WAIT-2' }),
  tcp('keepaliveTime', 'keepalive_time', {
    ...{ ...SECONDS, default: 7200 },
    summary: 'silence after which a peer is probed, of sockets with SO_KEEPALIVE',
  }),
  tcp('keepaliveIntvl', 'keepalive_intvl', { ...SECONDS, default: 75, summary: 'time between such probes' }),
  tcp('keepaliveProbes', 'keepalive_probes', { ...BYTE, default: 9, summary: 'such probes without an answer, at most' }),
  tcp('slowStartAfterIdle', 'slow_start_after_idle', {
    ...WHETHER,
    default: 1,
    summary: 'whether cwnd decays while nothing is sent (RFC 2861)',
  }),
  tcp('autocorking', 'autocorking', {
    ...WHETHER,
    default: 1,
    summary: 'whether small writes wait while others are on their way to the device',
  }),
  tcp('stdurg', 'stdurg', {
    ...WHETHER,
    default: 0,
    summary: 'whether the urgent pointer points to the octet (RFC 9293) or behind it (RFC 793, BSD)',
  }),
  tcp('rfc1337', 'rfc1337', { ...WHETHER, default: 0, summary: 'whether TIME-WAIT ignores RST (RFC 1337)' }),
  tcp('abortOnOverflow', 'abort_on_overflow', {
    ...WHETHER,
    default: 0,
    summary: 'whether clients are reset that a listener has no room for',
  }),
  tcp('syncookies', 'syncookies', {
    ...BYTE,
    default: 1,
    summary: 'SYN cookies: 0 never, 1 when the queue of SYNs is full, 2 always (RFC 4987)',
  }),
  tcp('maxSynBacklog', 'max_syn_backlog', { ...INT, default: 4096, summary: 'connections that a listener may have half open' }),
  tcp('maxTwBuckets', 'max_tw_buckets', { ...INT, default: 262144, summary: 'connections in TIME-WAIT, at most' }),
  tcp('maxOrphans', 'max_orphans', {
    ...INT,
    default: 65536,
    summary: 'connections that their users have closed and that are not over, at most',
  }),
  tcp('twReuse', 'tw_reuse', {
    ...{ default: 2, min: 0, max: 2 },
    summary: 'whether a new connection may take the place of a TIME-WAIT when it is opened here: 0 no, 1 yes, 2 over loopback',
  }),
  tcp('challengeAckLimit', 'challenge_ack_limit', { ...INT, default: 0x7fffffff, summary: 'challenge ACKs a second (RFC 5961 §7)' }),
  tcp('invalidRatelimit', 'invalid_ratelimit', {
    ...{ ...INT, unit: 'ms', default: 500 },
    summary: 'least time between two answers of a connection to what is out of its window',
  }),
  tcp('minSndMss', 'min_snd_mss', {
    default: 48,
    min: 48,
    max: 65535,
    unit: 'bytes',
    summary: 'no segment is made smaller because a peer asks for it',
  }),
  tcp('limitOutputBytes', 'limit_output_bytes', {
    ...{ ...INT, unit: 'bytes', default: 1048576 },
    summary: 'what a connection may have in the queues of devices',
  }),
  tcp('reordering', 'reordering', {
    ...INT,
    default: 3,
    summary: 'by how many segments a packet may come late before it is taken for lost',
  }),
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

const LATER = 'taken, and does nothing yet: ';

function later(linux: string, rest: Omit<IntSetting, 'name' | 'field'>): IntSetting {
  return { name: `net.ipv4.tcp_${linux}`, field: null, ...rest, summary: LATER + rest.summary };
}

/** What Linux has beside, so that who sets it is not refused. */
export const TAKEN: readonly IntSetting[] = Object.freeze([
  later('ecn', { default: 2, min: 0, max: 2, summary: 'explicit congestion notification (RFC 3168)' }),
  later('ecn_fallback', { ...BYTE, default: 1, summary: 'giving up ECN where the way does not let it pass' }),
  later('recovery', { ...BYTE, default: 1, summary: 'RACK (RFC 8985)' }),
  later('early_retrans', { default: 3, min: 0, max: 4, summary: 'tail loss probes (RFC 8985)' }),
  later('frto', { ...BYTE, default: 2, summary: 'finding spurious timeouts (RFC 5682)' }),
  later('fastopen', { ...ANY, default: 1, summary: 'fast open (RFC 7413)' }),
  later('fastopen_blackhole_timeout_sec', { ...INT, default: 0, summary: 'fast open where it is filtered' }),
  later('max_reordering', { ...ANY, default: 300, summary: 'bound of what reordering is learnt' }),
  later('app_win', { default: 31, min: 0, max: 31, summary: 'part of the window that is the program’s' }),
  later('mtu_probing', { ...BYTE, default: 0, summary: 'packetization layer path MTU discovery (RFC 4821)' }),
  later('base_mss', { ...ANY, default: 1024, summary: 'where MTU probing begins' }),
  later('mtu_probe_floor', { default: 48, min: 48, max: 65535, summary: 'where MTU probing ends' }),
  later('probe_threshold', { ...ANY, default: 8, summary: 'when MTU probing stops' }),
  later('probe_interval', { ...INT, default: 600, summary: 'how often MTU probing begins again' }),
  later('min_rtt_wlen', { default: 300, min: 0, max: 86400, summary: 'window of the least round trip' }),
  later('min_tso_segs', { default: 2, min: 1, max: 255, summary: 'least size of what is cut late' }),
  later('tso_win_divisor', { ...BYTE, default: 3, summary: 'part of the window that goes at once' }),
  later('tso_rtt_log', { ...BYTE, default: 9, summary: 'size of what is cut late, by the round trip' }),
  later('pacing_ss_ratio', { default: 200, min: 0, max: 1000, summary: 'pacing in slow start' }),
  later('pacing_ca_ratio', { default: 120, min: 0, max: 1000, summary: 'pacing in congestion avoidance' }),
  later('thin_linear_timeouts', { ...BYTE, default: 0, summary: 'timeouts of thin streams' }),
  later('no_metrics_save', { ...BYTE, default: 0, summary: 'nothing is remembered of destinations, whatever it says' }),
  later('no_ssthresh_metrics_save', { default: 1, min: 0, max: 1, summary: 'nothing is remembered of destinations, whatever it says' }),
  later('retrans_collapse', { ...BYTE, default: 1, summary: 'merging what is sent again' }),
  later('workaround_signed_windows', { ...BYTE, default: 0, summary: 'windows below 32 KiB for peers that take them for signed' }),
  later('fwmark_accept', { ...BYTE, default: 0, summary: 'children with the mark of their SYN' }),
  later('l3mdev_accept', { default: 0, min: 0, max: 1, summary: 'children bound to the device of their SYN' }),
  later('reflect_tos', { default: 0, min: 0, max: 1, summary: 'children with the DSCP of their SYN' }),
  later('migrate_req', { default: 0, min: 0, max: 1, summary: 'requests that go to another listener of the port' }),
  later('comp_sack_delay_ns', { ...INT, default: 1_000_000, summary: 'delayed SACKs' }),
  later('comp_sack_slack_ns', { ...INT, default: 100_000, summary: 'delayed SACKs' }),
  later('comp_sack_nr', { ...BYTE, default: 44, summary: 'delayed SACKs' }),
]);
