/**
 * What the suites import as "vitest" on a page: the same runner and assertions, without Vitest's server. One bundle of all
 * suites runs in every engine, which is what makes nine browser runs affordable.
 */
import {
  ASYMMETRIC_MATCHERS_OBJECT,
  chai,
  getState,
  JestAsymmetricMatchers,
  JestChaiExpect,
  JestExtend,
  setState,
} from "@vitest/expect";
import { getCurrentTest } from "@vitest/runner";
import { fn, restoreAllMocks, spyOn } from "@vitest/spy";

export {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  it,
  onTestFailed,
  onTestFinished,
  suite,
  test,
} from "@vitest/runner";

chai.use(JestExtend);
chai.use(JestChaiExpect);
chai.use(JestAsymmetricMatchers);

interface Expect {
  (value: unknown, message?: string): unknown;
  [member: string]: unknown;
}

export const expect = ((value: unknown, message?: string) => {
  const state = getState(expect as never);
  setState({ assertionCalls: state.assertionCalls + 1 }, expect as never);
  const assertion = chai.expect(value, message) as unknown as { withTest(test: unknown): unknown };
  const test = getCurrentTest();
  return test === undefined ? assertion : assertion.withTest(test);
}) as Expect;

Object.assign(
  expect,
  chai.expect,
  (globalThis as Record<symbol, object>)[ASYMMETRIC_MATCHERS_OBJECT as symbol],
);
setState({ assertionCalls: 0, isExpectingAssertions: false }, expect as never);
expect["extend"] = (matchers: unknown) =>
  (chai.expect as unknown as { extend(target: unknown, matchers: unknown): void }).extend(expect, matchers);
expect["getState"] = () => getState(expect as never);
expect["setState"] = (state: object) => setState(state, expect as never);
expect["unreachable"] = (message?: string): never => {
  throw new Error(`unreachable was reached${message === undefined ? "" : `: ${message}`}`);
};
expect["hasAssertions"] = () => undefined;
expect["assertions"] = (expected: number) => {
  expectedCalls = expected;
};

let expectedCalls: number | undefined;

/** Begins a test's count of assertions. */
export function beginCount(): void {
  expectedCalls = undefined;
  setState({ assertionCalls: 0 }, expect as never);
}

/** Holds a test to what it said by `expect.assertions`. */
export function checkCount(): void {
  const { assertionCalls } = getState(expect as never);
  if (expectedCalls !== undefined && assertionCalls !== expectedCalls) {
    throw new Error(`expected ${expectedCalls} assertions, got ${assertionCalls}`);
  }
}

interface WaitOptions {
  timeout?: number;
  interval?: number;
}

async function waitFor<T>(callback: () => T | Promise<T>, options: WaitOptions | number = {}): Promise<T> {
  const { timeout = 1000, interval = 20 } = typeof options === "number" ? { timeout: options } : options;
  const end = performance.now() + timeout;
  for (;;) {
    try {
      return await callback();
    } catch (error) {
      if (performance.now() > end) {
        throw error;
      }
    }
    await new Promise((resolve) => setTimeout(resolve, interval));
  }
}

expect["poll"] = (callback: () => unknown, options: WaitOptions = {}) =>
  new Proxy(
    {},
    {
      get:
        (_target, matcher: string) =>
        (...args: unknown[]) =>
          waitFor(async () => {
            const assertion = expect(await callback()) as Record<string, (...args: unknown[]) => unknown>;
            return assertion[matcher]?.(...args);
          }, options),
    },
  );

export const vi = { fn, spyOn, restoreAllMocks, waitFor };
export const { assert } = chai;

/** Types are checked by the compiler, not on a page. */
const anything: unknown = new Proxy(() => anything, { get: () => anything, apply: () => anything });
export const expectTypeOf = anything;
export const assertType = anything;
