import type { Rewriting } from "./binary/rewrite.js";
import { platform } from "./platform.js";

/** For how many pages a guest's memory without a maximum takes up addresses where these are few: 1 GiB. */
const FEW_PAGES = 16_384;

export type ThreadVariant = Pick<Rewriting, "shared" | "loops" | "reserve">;

/**
 * What a module is compiled to for a thread of its own, or not: its memory shared, checks where only these end its loops.
 */
export function threadVariant(onThread: boolean): ThreadVariant {
  const { sharedMemory, endsLoops, fewAddresses } = platform().threadSupport();
  return {
    shared: onThread && sharedMemory,
    loops: onThread && !endsLoops,
    ...(fewAddresses && { reserve: FEW_PAGES }),
  };
}
