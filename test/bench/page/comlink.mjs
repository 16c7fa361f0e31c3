// The worker behind comlink.
import { expose } from "comlink";

expose({ add: (/** @type {number} */ a, /** @type {number} */ b) => a + b });
