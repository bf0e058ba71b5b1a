/* What the operating system says about this process: its threads, its open files, what it has mapped. */
#ifndef PROCESS_H
#define PROCESS_H

#include "leaks.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Calls `each` with the name of every entry of a folder of /proc; the sum of what it returns. */
static inline int of_all(const char *folder, int (*each)(const char *entry, const void *argument), const void *argument)
{
  struct dirent *entry;
  int sum = 0;
  DIR *entries = opendir(folder);
  if (!entries) {
    perror(folder);
    exit(1);
  }
  while ((entry = readdir(entries)) != NULL) {
    sum += entry->d_name[0] == '.' ? 0 : each(entry->d_name, argument);
  }
  closedir(entries);
  return sum;
}

static inline int is_named_(const char *thread, const void *prefix)
{
  char path[512], name[64] = "";
  int is_named = 0;
  FILE *file;
  snprintf(path, sizeof path, "/proc/self/task/%s/comm", thread);
  file = fopen(path, "r");
  if (file) {
    is_named = fgets(name, sizeof name, file) && strncmp(name, prefix, strlen(prefix)) == 0;
    fclose(file);
  }
  return is_named;
}

/* How many threads have a name that begins so. Those of the library have one; a checker may have others. */
static inline int threads_named(const char *prefix)
{
  return of_all("/proc/self/task", is_named_, prefix);
}

static inline int is_of_kernel_(const char *file, const void *argument)
{
  char path[512], target[256] = "";
  (void)argument;
  snprintf(path, sizeof path, "/proc/self/fd/%s", file);
  return atoi(file) > 2 && readlink(path, target, sizeof target - 1) > 0 &&
         (strstr(target, "socket:") || strstr(target, "anon_inode:"));
}

/* How many sockets, polls, events and timers are open. */
static inline int open_sockets_and_polls(void)
{
  return of_all("/proc/self/fd", is_of_kernel_, NULL);
}

/* Whether a library whose name has this in it is mapped. */
static inline int is_mapped(const char *library)
{
  char line[4096];
  int found = 0;
  FILE *maps = fopen("/proc/self/maps", "r");
  while (maps && fgets(line, sizeof line, maps)) {
    found = found || strstr(line, library) != NULL;
  }
  if (maps) {
    fclose(maps);
  }
  return found;
}

#endif
