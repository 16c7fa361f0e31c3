/**
 * The functions of one family by their spec names. Parameters come as the engine gives them: 32-bit ones as signed numbers
 * (`>>> 0` makes them pointers), 64-bit ones as bigints.
 */
export interface Functions {
  // biome-ignore lint/suspicious/noExplicitAny: 46 signatures in one table; `signatures.ts` has what a module may declare
  [name: string]: (...parameters: any[]) => number;
}
