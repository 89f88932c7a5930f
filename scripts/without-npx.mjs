/**
 * The environment without what `npx -p PACKAGE ...` leaves in it: an npx that we start would take those for its own,
 * and look for our command in that PACKAGE.
 */
export function withoutNpx({ npm_config_package: _package, npm_config_call: _call, ...env }) {
  return env;
}
