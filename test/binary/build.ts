/** A WebAssembly binary written by hand: sections from numbers, nested lists and names. */
export type Part = number | string | readonly Part[];

function flat(part: Part): number[] {
  if (typeof part === "number") return [part];
  if (typeof part === "string") return name(part);
  return part.flatMap(flat);
}

export function uleb(value: number): number[] {
  const bytes: number[] = [];
  let left = value;
  for (; left >= 0x80; left = Math.floor(left / 0x80)) bytes.push((left % 0x80) | 0x80);
  return [...bytes, left];
}

export function name(text: string): number[] {
  const bytes = new TextEncoder().encode(text);
  return [...uleb(bytes.length), ...bytes];
}

/** A vector: its count, then its elements. */
export function vec(...elements: Part[]): Part {
  return [...uleb(elements.length), ...elements];
}

export function section(id: number, ...body: Part[]): Part {
  const bytes = flat(body);
  return [id, ...uleb(bytes.length), ...bytes];
}

export function custom(title: string, ...body: Part[]): Part {
  return section(0, title, ...body);
}

/** A module of these sections. */
export function binary(...sections: Part[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...flat(sections)]);
}
