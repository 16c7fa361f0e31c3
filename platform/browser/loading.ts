import * as background from "../../src/compile.js";
import { hosted } from "./hosted.js";

/** What `Module` loads when it is first needed, and the platform with it. */
export const loading = hosted(background);
