import type { Cursor } from "./cursor.js";
import { readHeap } from "./value-types.js";

/** Passes over a constant expression with its `end` (core specification 5.4.9 and 3.4.14). */
export function skipConstant(cursor: Cursor): void {
  for (let code = cursor.byte(); code !== 0x0b; code = cursor.byte()) {
    if (code === 0x43) cursor.skip(4); // f32.const
    if (code === 0x44) cursor.skip(8); // f64.const
    if (code === 0xd0) readHeap(cursor); // ref.null
    // global.get, i32.const, i64.const, ref.func
    if (code === 0x23 || code === 0x41 || code === 0x42 || code === 0xd2) cursor.leb();
    if (code === 0xfd) {
      // v128.const
      cursor.leb();
      cursor.skip(16);
    }
    if (code === 0xfb) {
      // On structs and arrays, with their type; any.convert_extern, extern.convert_any and ref.i31 have no immediates.
      const instruction = cursor.leb();
      if (instruction < 26 || instruction > 28) cursor.leb();
      // array.new_fixed, array.new_data and array.new_elem have a second one.
      if (instruction >= 8 && instruction <= 10) cursor.leb();
    }
    // i32 and i64 add, sub and mul have none.
  }
}
