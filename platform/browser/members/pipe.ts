import { Pipe as Plain } from "../../../src/pipe.js";
import { hosted } from "../hosted.js";

export const Pipe: typeof Plain = /* @__PURE__ */ hosted(Plain);
export type Pipe = Plain;
