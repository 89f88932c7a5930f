/**
 * The version of the contract, by semver. A module says in its manifest which range it was written for; the kernel
 * refuses one that does not match. The layout of skb and of the records is fixed by the major number.
 */
export const CONTRACT_VERSION = '1.0.0';
