// Tries to get out of its container, by the system interface itself: the C library's own checks are gone around.
// One line for each attempt: what was tried, a tab, what the host answered.   build: ./build.sh
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wasi/api.h>

// The host preopens /room with all rights, then /shelf with "read" alone. /secret.txt lies beside them.
enum { ROOM = 3, SHELF = 4 };

static const __wasi_rights_t EVERYTHING = __WASI_RIGHTS_FD_READ | __WASI_RIGHTS_FD_WRITE | __WASI_RIGHTS_FD_SEEK;

static void report(const char *what, __wasi_errno_t error) {
  printf("%s\t%s\n", what, error == 0 ? "done" : strerror(error));
  fflush(stdout);
}

static __wasi_errno_t open_at(__wasi_fd_t directory, const char *path, __wasi_oflags_t how, __wasi_rights_t rights) {
  __wasi_fd_t fd;
  __wasi_errno_t error = __wasi_path_open(directory, __WASI_LOOKUPFLAGS_SYMLINK_FOLLOW, path, how, rights, 0, 0, &fd);
  if (error != 0) return error;
  char text[64];
  __wasi_iovec_t into = {.buf = (uint8_t *)text, .buf_len = sizeof text};
  __wasi_size_t got = 0;
  if (rights & __WASI_RIGHTS_FD_READ) error = __wasi_fd_read(fd, &into, 1, &got);
  if (strstr(path, "secret") != NULL && got > 0) printf("!! read the secret: %.*s\n", (int)got, text);
  (void)!__wasi_fd_close(fd);
  return error;
}

int main(void) {
  report("open a file of its own, room/note.txt", open_at(ROOM, "note.txt", 0, __WASI_RIGHTS_FD_READ));
  report("climb out: ../secret.txt", open_at(ROOM, "../secret.txt", 0, __WASI_RIGHTS_FD_READ));
  report("climb out on a detour: drawer/../../secret.txt", open_at(ROOM, "drawer/../../secret.txt", 0, __WASI_RIGHTS_FD_READ));
  report("name the whole path: /secret.txt", open_at(ROOM, "/secret.txt", 0, __WASI_RIGHTS_FD_READ));

  (void)!__wasi_path_unlink_file(ROOM, "door");
  __wasi_errno_t planted = __wasi_path_symlink("../secret.txt", ROOM, "door");
  report("go through a link planted in the room", planted != 0 ? planted : open_at(ROOM, "door", 0, __WASI_RIGHTS_FD_READ));

  report("carry a file out: rename to ../stolen.txt", __wasi_path_rename(ROOM, "note.txt", ROOM, "../stolen.txt"));
  report("write on the read-only shelf", open_at(SHELF, "rules.txt", __WASI_OFLAGS_TRUNC, EVERYTHING));
  report("leave something on the shelf", open_at(SHELF, "new.txt", __WASI_OFLAGS_CREAT, EVERYTHING));
  report("remove what is on the shelf", __wasi_path_unlink_file(SHELF, "rules.txt"));

  __wasi_size_t written;
  __wasi_ciovec_t beyond = {.buf = (const uint8_t *)0xfffffff0u, .buf_len = 4096};
  report("have the host read past the end of memory", __wasi_fd_write(1, &beyond, 1, &written));
  report("read from a descriptor that was never given", __wasi_fd_read(99, NULL, 0, &written));

  printf("reach past the end of its own memory\t");
  fflush(stdout);
  return *(volatile int *)0xfffffff0u;
}
