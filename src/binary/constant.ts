import type { Cursor } from "./cursor.js";
import { skipHeap } from "./value-types.js";

/** Passes over a constant expression with its `end` (core specification 5.4.9 and 3.4.14). */
export function skipConstant(cursor: Cursor): void {
  for (let code = cursor.byte(); code !== 0x0b; code = cursor.byte()) {
    switch (code) {
      case 0x43: // f32.const
        cursor.skip(4);
        break;
      case 0x44: // f64.const
        cursor.skip(8);
        break;
      case 0xd0: // ref.null
        skipHeap(cursor);
        break;
      case 0x23: // global.get
      case 0x41: // i32.const
      case 0x42: // i64.const
      case 0xd2: // ref.func
        cursor.skipLeb();
        break;
      case 0xfb:
        skipAggregate(cursor);
        break;
      case 0xfd: // v128.const
        if (cursor.u32() !== 12) cursor.fail("an instruction that is not constant");
        cursor.skip(16);
        break;
      default:
        // i32 and i64 add, sub and mul have no immediates.
        if (code < 0x6a || code > 0x7e || (code > 0x6c && code < 0x7c)) {
          cursor.fail("an instruction that is not constant");
        }
    }
  }
}

/** The immediates of the constant instructions on structs, arrays and i31 (prefix `0xfb`). */
function skipAggregate(cursor: Cursor): void {
  const code = cursor.u32();
  // any.convert_extern, extern.convert_any and ref.i31 have none.
  if (code === 26 || code === 27 || code === 28) return;
  const isStruct = code === 0 || code === 1 || code === 32 || code === 33;
  if (!isStruct && (code < 6 || code > 10)) cursor.fail("an instruction that is not constant");
  cursor.skipLeb();
  // array.new_fixed, array.new_data and array.new_elem have a second one.
  if (code >= 8 && code <= 10) cursor.skipLeb();
}
