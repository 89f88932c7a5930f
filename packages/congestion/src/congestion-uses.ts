import type { CongestionControl, Frozen, ModuleContext, Objects, Plain } from '@softnet/contract';
import { CongestionState } from '@softnet/contract';

/** Of a state as plain data. */
const VERSION = 1;
const COUNTS = [
  'cwnd',
  'ssthresh',
  'cwndCount',
  'cwndClamp',
  'priorCwnd',
  'mssBytes',
  'phase',
  'inFlight',
  'delivered',
  'deliveredCe',
] as const;
const MEASURES = ['lost', 'srttUs', 'minRttUs', 'isCwndLimited', 'pacingRate'] as const;
const FIELDS = [...COUNTS, ...MEASURES] as const;

/**
 * Declares the states that a control's module manages: they hold it up, follow it to its next generation, and by force their senders are closed.
 * @param control asked late: it is made with what this returns.
 */
export function declareUses(ctx: ModuleContext, control: () => CongestionControl): Objects<CongestionState> {
  const uses: Objects<CongestionState> = ctx.objects<CongestionState>('congestion-state', {
    drain: 'wait',
    close: (state) => uses.release(state),
    ended: (state) => state.control.end(state),
    describe: (state) => `cwnd ${state.cwnd}, ssthresh ${state.ssthresh}`,
    freeze: (state) => ({ version: VERSION, data: freezeState(state) }),
    thaws: [VERSION],
    thaw: (frozen) => thawState(control(), frozen),
  });
  return uses;
}

function freezeState(state: CongestionState): Plain {
  const fields = Object.fromEntries(FIELDS.map((name) => [name, state[name]]));
  return { ...fields, ext: state.control.freeze?.(state) ?? null };
}

function thawState(control: CongestionControl, { data }: Frozen): CongestionState {
  const fields = data as { readonly [key: string]: Plain };
  const state = new CongestionState(control);
  const known = Object.fromEntries(FIELDS.map((name) => [name, fields[name] ?? state[name]]));
  Object.assign(state, known);
  const { cwndCount } = state;
  control.begin(state);
  state.cwndCount = cwndCount;
  if (fields.ext != null) control.thaw?.(state, fields.ext);
  return state;
}
