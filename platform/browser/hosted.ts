import { usePlatform } from "../../src/platform.js";
import { browserPlatform } from "./platform.js";

/**
 * Something that needs the platform at once: an app that has it gets the platform. Calls of this are marked as free of side effects, so that
 * bundlers leave both out of an app that doesn't use it.
 */
export function hosted<T>(member: T): T {
  usePlatform(browserPlatform);
  return member;
}
