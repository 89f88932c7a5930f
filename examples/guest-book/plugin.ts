import type { ModuleContext, Objects, Owner, SoftnetModule } from '@softnet/contract';
import { defineService, Held, Module } from '@softnet/contract';

export interface GuestBook {
  sign(owner: Owner): Guest;
}
export const GuestBook = defineService<GuestBook>({ name: 'GuestBook', version: '1.0.0' });

class Guest extends Held {
  leave: () => void = () => undefined;
}

@Module({ name: 'guest-book', version: '1.0.0', summary: 'Who signs is inside until they leave', provides: [GuestBook] })
export default class GuestBookModule implements SoftnetModule {
  start(ctx: ModuleContext): void {
    const guests: Objects<Guest> = ctx.objects<Guest>('guest', {
      drain: 'wait', // an unload waits for guests, and says who they are
      close: (guest) => guests.release(guest), // what force does
    });
    // A door: gone from the moment at which stage 1 begins.
    ctx.door(GuestBook, {
      sign: (owner) => {
        const guest = new Guest();
        guests.hold(guest, owner, 'guest-book.sign');
        guest.leave = () => guests.release(guest); // the last to leave ends the drain
        return guest;
      },
    });
  }
}
