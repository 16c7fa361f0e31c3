import { Wasi as Plain } from "../../../src/wasi/wasi.js";
import { hosted } from "../hosted.js";

export const Wasi: typeof Plain = /* @__PURE__ */ hosted(Plain);
export type Wasi = Plain;
