/** Which modules have an instance; a file of its own, so that what makes instances on a thread needs no compiler of modules. */
const instantiated = new WeakSet<object>();

/** Tells of a module that it has an instance: its name is fixed from now on. */
export function markInstantiated(module: object): void {
  instantiated.add(module);
}

export function isInstantiated(module: object): boolean {
  return instantiated.has(module);
}
