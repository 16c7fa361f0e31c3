// What one writes by hand to get at the types of a plain module: names and types of its imports and exports, version 1 of
// the format alone, no checks. The measure for the reader in `src/binary`.

const VALUES = {
  127: "i32",
  126: "i64",
  125: "f32",
  124: "f64",
  123: "v128",
  112: "funcref",
  111: "externref",
};
const decoder = new TextDecoder();

/** @param {Uint8Array} bytes */
export function minimalReader(bytes) {
  let at = 8;
  const u32 = () => {
    let result = 0;
    let shift = 0;
    let byte;
    do {
      byte = bytes[at++];
      result |= (byte & 0x7f) << shift;
      shift += 7;
    } while (byte & 0x80);
    return result >>> 0;
  };
  const name = () => {
    const length = u32();
    at += length;
    return decoder.decode(bytes.subarray(at - length, at));
  };
  const values = () => {
    const list = [];
    for (let left = u32(); left > 0; left--) list.push(VALUES[bytes[at++]]);
    return list;
  };
  const limits = () => {
    const flags = bytes[at++];
    const minimum = u32();
    return flags & 1 ? { minimum, maximum: u32(), shared: (flags & 2) !== 0 } : { minimum, shared: false };
  };
  const memory = () => ({ kind: "memory", ...limits() });
  const table = () => ({ kind: "table", element: VALUES[bytes[at++]], ...limits() });
  const global = () => ({ kind: "global", value: VALUES[bytes[at++]], mutable: bytes[at++] === 1 });
  const constant = () => {
    for (let code = bytes[at++]; code !== 0x0b; code = bytes[at++]) {
      if (code === 0x43) at += 4;
      else if (code === 0x44) at += 8;
      else u32();
    }
  };
  const types = [];
  const functions = [];
  const tables = [];
  const memories = [];
  const globals = [];
  const imports = [];
  const exports = [];
  while (at < bytes.length) {
    const id = bytes[at++];
    const size = u32();
    const end = at + size;
    if (id >= 1 && id <= 7) {
      for (let left = u32(); left > 0; left--) {
        if (id === 1) {
          at++;
          types.push({ kind: "function", parameters: values(), results: values() });
        } else if (id === 2) {
          const module = name();
          const field = name();
          const kind = bytes[at++];
          const type = kind === 0 ? types[u32()] : kind === 1 ? table() : kind === 2 ? memory() : global();
          [functions, tables, memories, globals][kind].push(type);
          imports.push({ module, name: field, type });
        } else if (id === 3) {
          functions.push(types[u32()]);
        } else if (id === 4) {
          tables.push(table());
        } else if (id === 5) {
          memories.push(memory());
        } else if (id === 6) {
          globals.push(global());
          constant();
        } else {
          const exported = name();
          const kind = bytes[at++];
          exports.push([exported, [functions, tables, memories, globals][kind][u32()]]);
        }
      }
    }
    at = end;
  }
  return { imports, exports: new Map(exports) };
}
