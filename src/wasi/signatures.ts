import type { FunctionType, ValueType } from "../shape.js";

/** The parameters of every function: `i` is an i32, `I` an i64. All return an i32, but `proc_exit`, which returns nothing. */
const PARAMETERS: { readonly [name: string]: string } = {
  args_get: "ii",
  args_sizes_get: "ii",
  clock_res_get: "ii",
  clock_time_get: "iIi",
  environ_get: "ii",
  environ_sizes_get: "ii",
  fd_advise: "iIIi",
  fd_allocate: "iII",
  fd_close: "i",
  fd_datasync: "i",
  fd_fdstat_get: "ii",
  fd_fdstat_set_flags: "ii",
  fd_fdstat_set_rights: "iII",
  fd_filestat_get: "ii",
  fd_filestat_set_size: "iI",
  fd_filestat_set_times: "iIIi",
  fd_pread: "iiiIi",
  fd_prestat_dir_name: "iii",
  fd_prestat_get: "ii",
  fd_pwrite: "iiiIi",
  fd_read: "iiii",
  fd_readdir: "iiiIi",
  fd_renumber: "ii",
  fd_seek: "iIii",
  fd_sync: "i",
  fd_tell: "ii",
  fd_write: "iiii",
  path_create_directory: "iii",
  path_filestat_get: "iiiii",
  path_filestat_set_times: "iiiiIIi",
  path_link: "iiiiiii",
  path_open: "iiiiiIIii",
  path_readlink: "iiiiii",
  path_remove_directory: "iii",
  path_rename: "iiiiii",
  path_symlink: "iiiii",
  path_unlink_file: "iii",
  poll_oneoff: "iiii",
  proc_exit: "i",
  proc_raise: "i",
  random_get: "ii",
  sched_yield: "",
  sock_accept: "iii",
  sock_recv: "iiiiii",
  sock_send: "iiiii",
  sock_shutdown: "ii",
};

/** The names of all functions of `wasi_snapshot_preview1`. */
export const FUNCTION_NAMES: readonly string[] = Object.keys(PARAMETERS);

/** What a module has to declare to import that function; `undefined` where WASI has none of that name. */
export function signatureOf(name: string): FunctionType | undefined {
  if (!Object.hasOwn(PARAMETERS, name)) return undefined;
  const parameters = Array.from(
    PARAMETERS[name] as string,
    (letter): ValueType => (letter === "i" ? "i32" : "i64"),
  );
  return { kind: "function", parameters, results: name === "proc_exit" ? [] : ["i32"] };
}
