import { expect, test } from "vitest";
import { HostFunctionError } from "../../src/errors.js";
import type { Context } from "../../src/imports.js";
import { HostFunctions } from "../../src/worker/host-functions.js";

/** So many calls that fail, and the numbers of their errors. */
function fail(functions: HostFunctions, count: number): number[] {
  const index = functions.add("fails", (number: number) => {
    throw new Error(`no ${number}`);
  });
  const ids: number[] = [];
  for (let number = 0; number < count; number++) {
    functions.serve(index, {} as Context, [number], (_layout, _values, errorId) => ids.push(errorId));
  }
  return ids;
}

test("HostFunctions.error gives an error to the call that ends with it, and keeps it no longer", () => {
  const functions = new HostFunctions({ importEntries: [] } as never, undefined);
  const [first, second] = fail(functions, 2) as [number, number];
  const nested = functions.error(first, true);
  expect(nested).toMatchObject({ cause: { message: "no 0" } });
  expect(functions.error(first)).toBe(nested);
  expect(functions.error(first)).not.toBe(nested);
  expect(functions.error(first)).toBeInstanceOf(HostFunctionError);
  expect(functions.error(second)).toMatchObject({ cause: { message: "no 1" } });
});

test("HostFunctions.error keeps the last thousand of what a guest catches", () => {
  const functions = new HostFunctions({ importEntries: [] } as never, undefined);
  const ids = fail(functions, 1500);
  const messages = ids.map((id) => (functions.error(id) as HostFunctionError).message);
  expect(messages.filter((message) => message.includes("no longer kept"))).toHaveLength(500);
  expect(messages[499]).toContain("no longer kept");
  expect(messages[500]).toContain("no 500");
});
