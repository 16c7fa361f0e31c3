import { usePlatform } from "../../src/platform.js";
import { browserPlatform } from "./platform.js";

/** Something that needs the platform: an app that has it gets the platform. */
export function hosted<T>(member: T): T {
  usePlatform(browserPlatform);
  return member;
}
