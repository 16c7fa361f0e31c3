const FEATURES = {
  exceptions: true,
  mutable_globals: true,
  sat_float_to_int: true,
  sign_extension: true,
  simd: true,
  threads: true,
  function_references: true,
  multi_value: true,
  tail_call: true,
  bulk_memory: true,
  reference_types: true,
  annotations: true,
  code_metadata: true,
  memory64: true,
  multi_memory: true,
  extended_const: true,
  relaxed_simd: true,
};

type Wabt = Awaited<ReturnType<typeof import("wabt")>>;
let wabt: Promise<Wabt> | undefined;

/** The binary of a module in WebAssembly text, names included. */
export async function wat(text: string): Promise<Uint8Array<ArrayBuffer>> {
  wabt ??= import("wabt").then((module) => module.default());
  const parsed = (await wabt).parseWat("test.wat", text, FEATURES);
  try {
    const { buffer } = parsed.toBinary({ write_debug_names: true, log: false });
    return new Uint8Array(buffer);
  } finally {
    parsed.destroy();
  }
}
