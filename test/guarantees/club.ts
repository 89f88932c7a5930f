import type { ModuleClass, ModuleContext, Objects, Owner, Requirement, SoftnetModule } from '@softnet/contract';
import { defineService, Held, Module } from '@softnet/contract';
import { held } from './inn.ts';

/** A module with root objects of its own, for which others may derive: an inn serves tea to members of a club. */
export interface Club {
  join(owner: Owner): Member;
}
export const Club = defineService<Club>({ name: 'Club', version: '1.0.0' });

export class Member extends Held {}

/** @param close what a member's proper close does; default: it releases. */
export function makeClub(requires: readonly Requirement[] = [], close?: (member: Member) => void): ModuleClass {
  class ClubAsMade implements SoftnetModule {
    start(ctx: ModuleContext): void {
      const members: Objects<Member> = ctx.objects<Member>('member', {
        drain: 'wait',
        close: close ?? ((member) => members.release(member)),
      });
      ctx.door(Club, { join: (owner) => held(members, new Member(), owner, 'club.join') });
    }
  }
  Module({ name: 'club', version: '1.0.0', requires, provides: [Club] })(ClubAsMade);
  return ClubAsMade;
}
