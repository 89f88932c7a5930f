import type { RoutingRule, RoutingRules } from '@softnet/contract';
import { ADDRESS_FAMILY, NetError } from '@softnet/contract';
import { masked } from '../route-checks.ts';
import type { RouteListeners } from '../route-listeners.ts';
import type { RuleBook } from '../rules.ts';
import { checkRule, isMeantRule, isSameRule } from './rule-checks.ts';

export interface RuleStoreParts {
  readonly book: RuleBook;
  readonly listeners: RouteListeners;
  /** Lookups may answer otherwise now. */
  readonly changed: () => void;
}

/** The policy rules that are configured: `RoutingRules`, and lists of them. */
export class RuleStore implements RoutingRules {
  readonly #parts: RuleStoreParts;

  constructor(parts: RuleStoreParts) {
    this.#parts = parts;
  }

  add(rule: RoutingRule): void {
    const rules = this.#parts.book.of(rule.family);
    const checked = checkRule(rule);
    const { list } = rules;
    if (list.some((other) => isSameRule(other, checked))) {
      throw new NetError('EEXIST', `the rule of priority ${rule.priority} is there already, in all of its fields`, { syscall: 'rule' });
    }
    const behind = list.findIndex(({ priority }) => priority > rule.priority);
    rules.change(list.toSpliced(behind < 0 ? list.length : behind, 0, checked));
    this.#parts.changed();
    this.#parts.listeners.rule('add', checked);
  }

  remove(rule: RoutingRule): void {
    const rules = this.#parts.book.of(rule.family);
    const { family, from, to } = rule;
    const asked = {
      ...rule,
      ...(from && { from: { ...from, address: masked(family, from.address, from.prefixLen) } }),
      ...(to && { to: { ...to, address: masked(family, to.address, to.prefixLen) } }),
    };
    const at = rules.list.findIndex((each) => isMeantRule(each, asked));
    if (at < 0) throw new NetError('ENOENT', 'there is no such rule', { syscall: 'rule' });
    const gone = rules.list[at]!;
    rules.change(rules.list.toSpliced(at, 1));
    this.#parts.changed();
    this.#parts.listeners.rule('remove', gone);
  }

  entries(family: number): readonly RoutingRule[] {
    return this.#parts.book.find(family)?.list ?? [];
  }

  /** Rules of the last generation, in the place of Linux's. */
  restore(list: readonly RoutingRule[]): void {
    for (const family of [ADDRESS_FAMILY.INET, ADDRESS_FAMILY.INET6]) {
      this.#parts.book.of(family).change(list.filter((rule) => rule.family === family));
    }
    this.#parts.changed();
  }
}
