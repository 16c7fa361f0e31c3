/** Instances whose guest can wait for a promise on this very thread (JSPI, WebAssembly's JavaScript promise integration). */
import { convertParams, type EngineFunction } from "./calls.js";
import type { InstanceHooks } from "./context.js";
import { suspendingHostCall } from "./host-calls.js";
import { exportedFunction, type Instance, rescueCall } from "./instance.js";
import { resultArray, type WasmValue } from "./values.js";

const promised = new WeakMap<EngineFunction, (...values: unknown[]) => Promise<unknown>>();

/** Whether this engine can suspend a guest. */
export function canSuspend(): boolean {
  return WebAssembly.promising !== undefined && WebAssembly.Suspending !== undefined;
}

function promising(exported: EngineFunction): (...values: unknown[]) => Promise<unknown> {
  let call = promised.get(exported);
  if (call === undefined) {
    call = WebAssembly.promising?.(exported) ?? (async (...values) => exported(...values));
    promised.set(exported, call);
  }
  return call;
}

/** For `createInstance`: host functions may be async, every call is made with `callSuspending`. */
export const suspendingHooks: InstanceHooks = {
  wrapHost: suspendingHostCall,
  initialize: (exported) => promising(exported)(),
  callFunction: callSuspending,
};

/** `Instance.callFunction` of an instance made with {@link suspendingHooks}. */
export async function callSuspending(
  instance: Instance,
  name: string,
  params: readonly unknown[] = [],
): Promise<WasmValue[]> {
  const [target, type] = exportedFunction(instance, name);
  try {
    const values = type === undefined ? params : convertParams(params, type.parameters);
    const result = await promising(target)(...values);
    const count = type?.results.length ?? (result === undefined ? 0 : 1);
    return resultArray(result, count);
  } catch (error) {
    return rescueCall(instance, error, type, params);
  }
}
