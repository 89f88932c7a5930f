/** Where a connection stands. TCP's states, by what they mean. */
export type TalkState =
  | 'hello-sent'
  | 'hello-received'
  | 'open'
  | 'bye-sent'
  | 'bye-acked'
  | 'bye-both'
  | 'bye-received'
  | 'last-bye'
  | 'lingering'
  | 'closed';

/** What moves it on. `ended`: a reset, a timeout, the linger's end. */
export type TalkEvent = 'answered' | 'confirmed' | 'close' | 'bye' | 'bye-acked' | 'ended';

/** The one table of transitions. What is not in it changes nothing. */
export const NEXT: Readonly<Record<TalkState, Readonly<Partial<Record<TalkEvent, TalkState>>>>> = Object.freeze({
  'hello-sent': { answered: 'open', close: 'closed', ended: 'closed' },
  'hello-received': { confirmed: 'open', close: 'closed', ended: 'closed' },
  open: { close: 'bye-sent', bye: 'bye-received', ended: 'closed' },
  'bye-sent': { bye: 'bye-both', 'bye-acked': 'bye-acked', ended: 'closed' },
  'bye-acked': { bye: 'lingering', ended: 'closed' },
  'bye-both': { 'bye-acked': 'lingering', ended: 'closed' },
  'bye-received': { close: 'last-bye', ended: 'closed' },
  'last-bye': { 'bye-acked': 'closed', ended: 'closed' },
  lingering: { ended: 'closed' },
  closed: {},
} as const);

/** States in which data may still go out. */
export const SENDING: readonly TalkState[] = ['open', 'bye-sent', 'bye-both', 'bye-received', 'last-bye'];
/** States in which data may still come in. */
export const RECEIVING: readonly TalkState[] = ['open', 'bye-sent', 'bye-acked'];
/** States in which our BYE is said, or wanted. */
export const CLOSING: readonly TalkState[] = ['bye-sent', 'bye-both', 'last-bye'];
