// node:test with a time limit for each test: one that waits in vain fails by itself and the others go on.
import * as runner from "node:test";

const TIMEOUT_MS = 10_000;

export const { after, afterEach, before, beforeEach, describe } = runner;

export function test(name, options, body) {
  if (typeof options === "function") [options, body] = [{}, options];
  return runner.test(name, { timeout: TIMEOUT_MS, ...options }, body);
}
