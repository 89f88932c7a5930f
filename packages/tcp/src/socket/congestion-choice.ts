import type { CongestionControl, Contributions, CurrentOwner, ModuleContext, Plain } from '@softnet/contract';
import * as contract from '@softnet/contract';
import type { Connection } from '../machine/connection.ts';
import { PlainControl } from './plain-control.ts';
import type { SocketSettings } from './settings.ts';

const { CongestionState, ERRNO } = contract;
const PLACE = 'tcp.congestion';
/** What a state is as plain data, beside what its control makes of its own. */
const FIELDS = [
  ...(['cwnd', 'ssthresh', 'cwndCount', 'cwndClamp', 'priorCwnd', 'mssBytes', 'phase', 'inFlight', 'delivered', 'deliveredCe'] as const),
  ...(['lost', 'srttUs', 'minRttUs', 'isCwndLimited', 'pacingRate'] as const),
] as const;

/** Which congestion control a connection has: by TCP_CONGESTION, else by `tcp_congestion_control`, else what is there. */
export class CongestionChoice {
  readonly #controls: Contributions<CongestionControl>;
  readonly #current: CurrentOwner;
  readonly #settings: SocketSettings;
  readonly #plain: PlainControl;

  constructor(ctx: ModuleContext, settings: SocketSettings) {
    this.#controls = ctx.contributions(contract.CongestionControl);
    this.#current = ctx.current;
    this.#settings = settings;
    const uses = ctx.objects<contract.CongestionState>('plain-congestion', {
      drain: 'keep',
      close: (state) => uses.release(state),
      describe: ({ cwnd }) => `cwnd ${cwnd}`,
    });
    this.#plain = new PlainControl(uses);
  }

  /** Gives a connection the state that it counts by, if it has none. */
  begin(conn: Connection): void {
    if (conn.congestion === null) this.#derive(conn, this.#chosen(conn));
  }

  /** TCP_CONGESTION. 0, -ENOENT: nobody brings it; -ESHUTDOWN: it leaves. */
  choose(conn: Connection, name: string): number {
    const control = this.#named(name);
    if (control === null) return -ERRNO.ENOENT;
    const before = conn.congestion;
    if (before === null || before.control === control) return 0;
    this.#end(conn);
    this.#derive(conn, control);
    const state = conn.congestion!;
    // What it knows of the way stays (Linux's tcp_reinit_congestion_control).
    copy(before, state);
    return 0;
  }

  /** The name that getsockopt says. */
  nameOf({ congestion, extra }: Connection): string {
    return congestion?.control.name ?? extra?.congestionName ?? this.#fitting().name;
  }

  has(name: string): boolean {
    return this.#named(name) !== null;
  }

  /** The connection is over. */
  end(conn: Connection): void {
    this.#end(conn);
    conn.congestion = null;
  }

  /** Its control was replaced, and has taken its state over. */
  moved(conn: Connection, before: object, now: object): void {
    if (conn.congestion === before) conn.congestion = now as contract.CongestionState;
  }

  freeze({ congestion }: Connection): Plain {
    if (congestion === null) return null;
    const fields = Object.fromEntries(FIELDS.map((name) => [name, congestion[name]]));
    return { ...fields, control: congestion.control.name, ext: congestion.control.freeze?.(congestion) ?? null };
  }

  /** What was frozen, in the control of that name, else in what is there. The socket is held. */
  thaw(conn: Connection, frozen: Plain): void {
    if (frozen === null) return;
    const fields = frozen as { readonly [key: string]: Plain };
    const control = this.#named(fields.control as string);
    this.#derive(conn, control ?? this.#fitting());
    const state = conn.congestion!;
    const { cwndCount } = fields;
    for (const name of FIELDS) Object.assign(state, { [name]: fields[name] ?? state[name] });
    state.cwndCount = cwndCount as number;
    if (control !== null && fields.ext != null) this.#as(control, () => control.thaw?.(state, fields.ext!));
  }

  #chosen({ extra }: Connection): CongestionControl {
    const name = extra?.congestionName ?? null;
    return (name === null ? null : this.#named(name)) ?? this.#fitting();
  }

  /** The newest of a name that takes newcomers, else one that leaves. */
  #named(name: string): CongestionControl | null {
    return name === this.#plain.name ? this.#plain : contract.congestionControlOf(this.#controls.items, name);
  }

  #fitting(): CongestionControl {
    return this.#named(this.#settings.congestionControl) ?? this.#named('reno') ?? this.#plain;
  }

  #derive(conn: Connection, control: CongestionControl): void {
    let state = new CongestionState(control);
    try {
      control.uses.derive(state, conn.sock, PLACE);
    } catch {
      // It has just begun to leave, and the socket came after that.
      state = new CongestionState(this.#plain);
      this.#plain.uses.derive(state, conn.sock, PLACE);
    }
    state.cwnd = this.#settings.initialCwnd;
    state.mssBytes = conn.mssBytes;
    conn.congestion = state;
    this.#as(state.control, () => state.control.begin(state));
  }

  #end({ congestion }: Connection): void {
    if (congestion === null) return;
    const { control } = congestion;
    this.#as(control, () => control.end(congestion));
    if (congestion.holdNext !== null) control.uses.release(congestion);
  }

  #as({ uses }: CongestionControl, call: () => void): void {
    const caller = this.#current.id;
    this.#current.id = uses.owner;
    try {
      call();
    } finally {
      this.#current.id = caller;
    }
  }
}

function copy(from: contract.CongestionState, to: contract.CongestionState): void {
  const { cwndCount } = to;
  for (const name of FIELDS) Object.assign(to, { [name]: from[name] });
  to.cwndCount = cwndCount;
}
