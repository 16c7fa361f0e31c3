export const WORKER_SOURCE: string;
export function bundleWorker(name: "node" | "browser"): Promise<string>;
export function workerSourceModule(name: "node" | "browser"): Promise<string>;
