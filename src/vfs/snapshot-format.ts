/*
 * "wasmexfs", version u32 | entries | digest, 16 bytes; numbers little-endian.
 *
 * The first entry is the root; a directory's entries follow it, sorted by their bytes, then END:
 *   filetype u8, name length u8, name, access and modification time i64 | of a
 *   file: size f64, blocks u32, and for each block that isn't all zeros its offset f64, length u32 and bytes
 *   link: target length u32, target
 * Another name of a file that came before is LINK, name length u8, name, and the file's number u32, counted from 0.
 */
export const MAGIC = "wasmexfs";
export const VERSION = 1;
export const HEADER = 12;
export const DIGEST = 16;
export const LINK = 0xfe;
export const END = 0xff;
