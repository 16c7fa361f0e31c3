import { capabilities as plain } from "../../../src/capabilities.js";
import { hosted } from "../hosted.js";

export const capabilities: typeof plain = /* @__PURE__ */ hosted(plain);
