import { platform } from "./platform.js";

/** What a module is compiled to for a thread of its own, or not: its memory shared, checks where only these end its loops. */
export function threadVariant(onThread: boolean): { readonly shared: boolean; readonly loops: boolean } {
  const { sharedMemory, endsLoops } = platform().threadSupport();
  return { shared: onThread && sharedMemory, loops: onThread && !endsLoops };
}
