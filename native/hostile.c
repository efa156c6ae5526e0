/*
 * What native code in a stage could try, for the tests of the sandbox (test/pipeline/hostile_test.ts); nothing else loads
 * this library. An attempt returns 0 where it succeeded, else the error's number. Everything is made by the attempt
 * itself, its server or its victim too, so that each succeeds in a process that nothing binds.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#endif
#ifndef SYS_io_uring_setup
#define SYS_io_uring_setup 425
#endif

extern char **environ;
static const char *const PROGRAM[] = {"/bin/true", NULL};

static int closing(int fd, int error) {
  if (fd >= 0) close(fd);
  return error;
}

static int read_file(const char *path) {
  char byte;
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  return closing(fd, fd < 0 || read(fd, &byte, 1) < 0 ? errno : 0);
}

static int list_folder(const char *path) {
  DIR *folder = opendir(path);
  if (!folder) return errno;
  closedir(folder);
  return 0;
}

static int write_file(const char *path) {
  const int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0 || write(fd, "x", 1) < 0) return closing(fd, errno);
  unlink(path);
  return closing(fd, 0);
}

static int make_folder(const char *path) { return mkdir(path, 0700) || rmdir(path) ? errno : 0; }

static int move_file(const char *path) {
  char moved[4096];
  snprintf(moved, sizeof moved, "%s.moved", path);
  return rename(path, moved) || rename(moved, path) ? errno : 0;
}

/* A connection to a server of its own, at an address that the system chooses. */
static int connect_to_own(int family, struct sockaddr *address, socklen_t bound, socklen_t size) {
  const int server = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (server < 0 || bind(server, address, bound) || listen(server, 1)) return closing(server, errno);
  const int client = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int error = getsockname(server, address, &size) || connect(client, address, size) ? errno : 0;
  close(client);
  return closing(server, error);
}

static int tcp(const char *unused) {
  (void)unused;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  return connect_to_own(AF_INET, (struct sockaddr *)&address, sizeof address, sizeof address);
}

static int tcp6(const char *unused) {
  (void)unused;
  struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
  return connect_to_own(AF_INET6, (struct sockaddr *)&address, sizeof address, sizeof address);
}

static int udp(const char *unused) {
  (void)unused;
  struct sockaddr_in address = {
      .sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const ssize_t sent = fd < 0 ? -1 : sendto(fd, "x", 1, 0, (struct sockaddr *)&address, sizeof address);
  return closing(fd, sent < 0 ? errno : 0);
}

/* An abstract name, which the system chooses: it lies in no folder, and so no list of paths holds it. */
static int unix_connect(const char *unused) {
  (void)unused;
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  return connect_to_own(AF_UNIX, (struct sockaddr *)&address, sizeof(sa_family_t), sizeof address);
}

static int unix_datagram(const char *unused) {
  (void)unused;
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  return closing(fd, fd < 0 ? errno : 0);
}

static int netlink(const char *unused) {
  (void)unused;
  const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0);
  return closing(fd, fd < 0 ? errno : 0);
}

static int io_uring(const char *unused) {
  (void)unused;
  char parameters[120] = {0};
  const int fd = (int)syscall(SYS_io_uring_setup, 1, parameters);
  return closing(fd, fd < 0 ? errno : 0);
}

/* The child's exit code, or what kept it from having one. */
static int waited(pid_t child) {
  int status;
  if (waitpid(child, &status, 0) < 0) return errno;
  return WIFEXITED(status) ? WEXITSTATUS(status) : ECHILD;
}

static int fork_exec(const char *unused) {
  (void)unused;
  const pid_t child = fork();
  if (child < 0) return errno;
  if (child == 0) {
    execve(PROGRAM[0], (char *const *)PROGRAM, environ);
    _exit(errno);
  }
  return waited(child);
}

static int spawn(const char *unused) {
  (void)unused;
  pid_t child;
  const int error = posix_spawn(&child, PROGRAM[0], NULL, NULL, (char *const *)PROGRAM, environ);
  return error ? error : waited(child);
}

/* A program that lies in no folder. */
static int exec_memory(const char *unused) {
  (void)unused;
  const int program = memfd_create("program", 0), source = open(PROGRAM[0], O_RDONLY | O_CLOEXEC);
  struct stat status;
  int error = program < 0 || source < 0 || fstat(source, &status) ? errno : 0;
  char bytes[4096];
  for (ssize_t count; !error && (count = read(source, bytes, sizeof bytes)) != 0;)
    if (count < 0 || write(program, bytes, (size_t)count) < 0) error = errno;
  closing(source, 0);
  if (error) return closing(program, error);
  const pid_t child = fork();
  if (child == 0) {
    syscall(SYS_execveat, program, "", (char *const *)PROGRAM, environ, AT_EMPTY_PATH);
    _exit(errno);
  }
  return closing(program, child < 0 ? errno : waited(child));
}

/* Does something to a child of its own, which the kernel lets every free process do. */
static int to_child(int (*act)(pid_t)) {
  const pid_t child = fork();
  if (child < 0) return errno;
  if (child == 0) {
    for (;;) pause();
  }
  const int error = act(child);
  kill(child, SIGKILL);
  waitpid(child, NULL, 0);
  return error;
}

static int seize(pid_t child) { return ptrace(PTRACE_SEIZE, child, NULL, NULL) ? errno : 0; }

static int read_memory(pid_t child) {
  char byte;
  struct iovec into = {&byte, 1}, from = {(void *)PROGRAM, 1}; /* the same address in both */
  return process_vm_readv(child, &into, 1, &from, 1, 0) < 0 ? errno : 0;
}

static int trace(const char *unused) {
  (void)unused;
  return to_child(seize);
}

static int peek(const char *unused) {
  (void)unused;
  return to_child(read_memory);
}

/* To a process outside, by its number; one that does nothing. */
static int signal_other(const char *process) { return kill(atoi(process), SIGCONT) ? errno : 0; }

static const struct {
  const char *name;
  int (*act)(const char *argument);
} ATTEMPTS[] = {
    {"read", read_file},       {"list", list_folder}, {"write", write_file},           {"mkdir", make_folder},
    {"move", move_file},   {"tcp", tcp},          {"tcp6", tcp6},                  {"udp", udp},
    {"unix", unix_connect},    {"netlink", netlink},  {"unix datagram", unix_datagram}, {"io_uring", io_uring},
    {"fork and exec", fork_exec}, {"posix_spawn", spawn}, {"exec of memory", exec_memory}, {"ptrace", trace},
    {"process_vm_readv", peek}, {"kill", signal_other},
};

/* 0, the error's number, or -1 where there is no such attempt. */
EXPORT int32_t hostile_attempt(const char *name, const char *argument) {
  for (size_t i = 0; i < sizeof ATTEMPTS / sizeof *ATTEMPTS; i++)
    if (!strcmp(ATTEMPTS[i].name, name)) return ATTEMPTS[i].act(argument);
  return -1;
}

struct request {
  const char *name, *argument;
  int32_t result;
};

static void *attempt(void *of) {
  struct request *request = of;
  request->result = hostile_attempt(request->name, request->argument);
  return NULL;
}

/* In a thread that begins now. */
EXPORT int32_t hostile_attempt_in_new_thread(const char *name, const char *argument) {
  struct request request = {name, argument, -1};
  pthread_t thread;
  const int error = pthread_create(&thread, NULL, attempt, &request);
  if (error) return error;
  pthread_join(thread, NULL);
  return request.result;
}

/* The thread that was there before the locks: it waits for requests. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static struct request *pending;

static void *serve(void *unused) {
  pthread_mutex_lock(&mutex);
  for (;;) {
    while (!pending) pthread_cond_wait(&changed, &mutex);
    attempt(pending);
    pending = NULL;
    pthread_cond_broadcast(&changed);
  }
  return unused;
}

EXPORT int32_t hostile_start_thread(void) {
  pthread_t thread;
  const int error = pthread_create(&thread, NULL, serve, NULL);
  if (!error) pthread_detach(thread);
  return error;
}

EXPORT int32_t hostile_attempt_in_old_thread(const char *name, const char *argument) {
  struct request request = {name, argument, -1};
  pthread_mutex_lock(&mutex);
  pending = &request;
  pthread_cond_broadcast(&changed);
  while (pending) pthread_cond_wait(&changed, &mutex);
  pthread_mutex_unlock(&mutex);
  return request.result;
}

/* From now on this process, and what it starts, is on a kernel without Landlock. 0, or the error's number. */
EXPORT int32_t hostile_hide_landlock(void) {
  struct sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_landlock_create_ruleset, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) return errno;
  return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) ? errno : 0;
}
