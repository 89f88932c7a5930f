/** A type of ICMP, and the names of its codes. */
export interface IcmpWords {
  readonly type: number;
  readonly codes: Readonly<Record<string, number>>;
}

const NONE: Readonly<Record<string, number>> = Object.freeze({});

/** How scripts name types and codes (RFC 792, RFC 1122 §3.2.2.1, RFC 4443). */
export const ICMP_WORDS: Readonly<Record<4 | 6, Readonly<Record<string, IcmpWords>>>> = {
  4: {
    echo_reply: { type: 0, codes: NONE },
    unreachable: {
      type: 3,
      codes: {
        net_unreachable: 0,
        host_unreachable: 1,
        protocol_unreachable: 2,
        port_unreachable: 3,
        frag_needed: 4,
        source_route_failed: 5,
        net_unknown: 6,
        host_unknown: 7,
        source_host_isolated: 8,
        net_prohibited: 9,
        host_prohibited: 10,
        net_unreachable_tos: 11,
        host_unreachable_tos: 12,
        communication_prohibited: 13,
        host_precedence_violation: 14,
        precedence_cutoff: 15,
      },
    },
    source_quench: { type: 4, codes: NONE },
    redirect: { type: 5, codes: NONE },
    echo_request: { type: 8, codes: NONE },
    time_exceeded: { type: 11, codes: { exceeded_ttl: 0, reassembly_time: 1 } },
    parameter_problem: { type: 12, codes: NONE },
  },
  6: {
    unreachable: {
      type: 1,
      codes: {
        no_route: 0,
        admin_prohibited: 1,
        not_neighbour: 2,
        address_unreachable: 3,
        port_unreachable: 4,
        source_policy: 5,
        reject_route: 6,
      },
    },
    packet_too_big: { type: 2, codes: NONE },
    time_exceeded: { type: 3, codes: { hop_limit: 0, reassembly_time: 1 } },
    parameter_problem: { type: 4, codes: { header_field: 0, next_header: 1, option: 2 } },
    echo_request: { type: 128, codes: NONE },
    echo_reply: { type: 129, codes: NONE },
  },
};

/** The number of a type as written. Null: no such name. */
export function icmpTypeNumber(version: 4 | 6, type: string | number): number | null {
  return typeof type === 'number' ? type : (wordsOf(version, type)?.type ?? null);
}

/** The number of a code, 0 where none is written. Null: no such name of this type. */
export function icmpCodeNumber(version: 4 | 6, type: string | number, code: string | number | null): number | null {
  if (code === null) return 0;
  if (typeof code === 'number') return code;
  const codes = typeof type === 'string' ? wordsOf(version, type)?.codes : undefined;
  return codes !== undefined && Object.hasOwn(codes, code) ? codes[code]! : null;
}

export function wordsOf(version: 4 | 6, type: string): IcmpWords | null {
  const words = ICMP_WORDS[version];
  return Object.hasOwn(words, type) ? words[type]! : null;
}
