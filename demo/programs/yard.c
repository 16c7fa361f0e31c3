// The Yard: a small game for one crane driver. It reads its standard input line by line, keeps its state in a file that
// may be edited meanwhile, writes a log, asks the clock, and tells by its exit code how the shift went.
//   build: ./build.sh    run: yard [--seed N] [--help]    environment: USER, YARD_SAVE
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { STACKS = 3, HEIGHT = 4, BOXES = 6 };

static int stack[STACKS][HEIGHT];
static int height[STACKS];
static int aboard;
static int moves;
static const char *save_path;

static const char *COLOURS[BOXES + 1] = {"", "\033[41m", "\033[42m", "\033[44m", "\033[45m", "\033[46m", "\033[43m"};

static void deal(unsigned seed) {
  int order[BOXES] = {4, 1, 3, 6, 2, 5};
  for (int i = BOXES - 1; seed != 0 && i > 0; i--) {
    seed = seed * 1103515245u + 12345u;
    int j = (int)((seed >> 16) % (unsigned)(i + 1));
    int kept = order[i];
    order[i] = order[j];
    order[j] = kept;
  }
  const int share[STACKS] = {3, 2, 1};
  int next = 0;
  for (int s = 0; s < STACKS; s++) {
    height[s] = share[s];
    for (int i = 0; i < share[s]; i++) stack[s][i] = order[next++];
  }
  aboard = 0;
  moves = 0;
}

static void note(const char *text) {
  FILE *log = fopen("yard.log", "a");
  if (log == NULL) return;
  char stamp[32];
  time_t now = time(NULL);
  strftime(stamp, sizeof stamp, "%H:%M:%S", gmtime(&now));
  fprintf(log, "%s UTC  %s\n", stamp, text);
  fclose(log);
}

static int save(void) {
  FILE *file = fopen(save_path, "w");
  if (file == NULL) return 0;
  fprintf(file, "# The yard, from the ground up. Edit it, and say: restore\n");
  for (int s = 0; s < STACKS; s++) {
    fprintf(file, "%c", 'a' + s);
    for (int i = 0; i < height[s]; i++) fprintf(file, " %d", stack[s][i]);
    fprintf(file, "\n");
  }
  fprintf(file, "moves %d\n", moves);
  return fclose(file) == 0;
}

// Reads the save file; a file that does not hold every box not yet aboard exactly once is refused.
static int restore(void) {
  FILE *file = fopen(save_path, "r");
  if (file == NULL) return 0;
  int next_stack[STACKS][HEIGHT], next_height[STACKS] = {0}, seen[BOXES + 1] = {0}, next_moves = 0, count = 0, good = 1;
  char line[128];
  while (fgets(line, sizeof line, file) != NULL) {
    if (line[0] == '#' || line[0] == '\n') continue;
    if (sscanf(line, "moves %d", &next_moves) == 1) continue;
    int s = line[0] - 'a';
    if (s < 0 || s >= STACKS || (line[1] != ' ' && line[1] != '\n')) {
      good = 0;
      continue;
    }
    for (char *word = strtok(line + 1, " \n"); word != NULL; word = strtok(NULL, " \n")) {
      int box = atoi(word);
      if (box < 1 || box > BOXES || seen[box] || next_height[s] == HEIGHT) {
        good = 0;
        continue;
      }
      seen[box] = 1;
      next_stack[s][next_height[s]++] = box;
      count++;
    }
  }
  fclose(file);
  // What is missing is aboard, and that must be the lowest numbers.
  for (int box = 1; box <= BOXES; box++) {
    if (seen[box] != (box > BOXES - count)) good = 0;
  }
  if (!good) return 0;
  memcpy(stack, next_stack, sizeof stack);
  memcpy(height, next_height, sizeof height);
  aboard = BOXES - count;
  moves = next_moves;
  return 1;
}

static void look(void) {
  printf("\n");
  for (int level = HEIGHT - 1; level >= 0; level--) {
    printf("   ");
    for (int s = 0; s < STACKS; s++) {
      if (level < height[s]) {
        int box = stack[s][level];
        printf(" %s\033[30m|| %d ||\033[0m", COLOURS[box], box);
      } else {
        printf("        ");
      }
    }
    printf("\n");
  }
  printf("   ========================\n        a       b       c     aboard: ");
  if (aboard == 0) printf("nothing");
  for (int box = 1; box <= aboard; box++) printf("%s\033[30m %d \033[0m", COLOURS[box], box);
  printf("\n\n");
}

static void help(void) {
  printf("  The ship takes the boxes in order, 1 first and %d last.\n", BOXES);
  printf("  Only the top of a stack can be lifted.\n\n");
  printf("  move a b     lift the top of a onto b (at most %d high)\n", HEIGHT);
  printf("  ship a       lift the top of a onto the ship\n");
  printf("  look         see the yard\n");
  printf("  save         write it to %s\n  restore      read it back\n", save_path);
  printf("  shift        how long you have been at it\n  quit         go home\n");
}

static int stack_of(const char *word) {
  int s = tolower((unsigned char)word[0]) - 'a';
  return word[1] == '\0' && s >= 0 && s < STACKS ? s : -1;
}

static void move(const char *from_word, const char *to_word) {
  int from = stack_of(from_word), to = stack_of(to_word);
  if (from < 0 || to < 0 || from == to) printf("  Stacks are a, b and c: move a b\n");
  else if (height[from] == 0) printf("  There is nothing on %s.\n", from_word);
  else if (height[to] == HEIGHT) printf("  %s is as high as the crane reaches.\n", to_word);
  else {
    int box = stack[from][--height[from]];
    stack[to][height[to]++] = box;
    moves++;
    char text[64];
    snprintf(text, sizeof text, "box %d from %c to %c", box, 'a' + from, 'a' + to);
    note(text);
    look();
  }
}

static void ship(const char *from_word) {
  int from = stack_of(from_word);
  if (from < 0) printf("  Stacks are a, b and c: ship a\n");
  else if (height[from] == 0) printf("  There is nothing on %s.\n", from_word);
  else if (stack[from][height[from] - 1] != aboard + 1)
    printf("  The ship waits for box %d; on top of %s is box %d.\n", aboard + 1, from_word, stack[from][height[from] - 1]);
  else {
    height[from]--;
    aboard++;
    moves++;
    char text[64];
    snprintf(text, sizeof text, "box %d aboard", aboard);
    note(text);
    look();
  }
}

int main(int argc, char **argv) {
  unsigned seed = 0;
  save_path = getenv("YARD_SAVE") != NULL ? getenv("YARD_SAVE") : "yard.save";
  for (int i = 1; i < argc; i++) {
    if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc) seed = (unsigned)strtoul(argv[++i], NULL, 10);
    else {
      printf("usage: yard [--seed N]\nA crane, three stacks, one ship. The state is kept in $YARD_SAVE (yard.save).\n");
      return strcmp(argv[i], "--help") == 0 ? 0 : 64;
    }
  }
  const char *user = getenv("USER");
  deal(seed);
  printf("Welcome to the yard, %s.%s\n", user != NULL ? user : "driver",
         seed == 0 && restore() ? " It stands as you left it." : "");
  help();
  look();
  note("shift begins");
  time_t begun = time(NULL);

  char line[256], command[32], one[16], two[16];
  while (aboard < BOXES) {
    printf("yard> ");
    fflush(stdout);
    if (fgets(line, sizeof line, stdin) == NULL) {
      printf("\nThe lights go out. (end of input)\n");
      return 1;
    }
    int words = sscanf(line, "%31s %15s %15s", command, one, two);
    if (words < 1) continue;
    if (strcmp(command, "move") == 0 && words == 3) move(one, two);
    else if (strcmp(command, "ship") == 0 && words == 2) ship(one);
    else if (strcmp(command, "look") == 0) look();
    else if (strcmp(command, "save") == 0) printf(save() ? "  Written to %s.\n" : "  %s can't be written.\n", save_path);
    else if (strcmp(command, "restore") == 0) {
      if (restore()) look();
      else printf("  %s holds no yard that I could read.\n", save_path);
    } else if (strcmp(command, "shift") == 0) printf("  %ld seconds, %d lifts.\n", (long)(time(NULL) - begun), moves);
    else if (strcmp(command, "quit") == 0) {
      note("shift ends early");
      printf("  The ship leaves with %d of %d boxes.\n", aboard, BOXES);
      return 3;
    } else help();
  }
  note("all aboard");
  printf("  All aboard after %d lifts. The ship blows its horn.\n", moves);
  remove(save_path);
  return 0;
}
