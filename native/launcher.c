/*
 * Binds itself to lists of paths and TCP ports (Landlock) and takes all other sockets and tracing from itself
 * (seccomp), then becomes the given program: every thread of it, native code included, is born bound, and
 * so is whatever it starts. Deno's own permissions bind TypeScript only; this is what binds libtorch and the shim.
 *
 *   launch [OPTION ...] -- PROGRAM [ARGUMENT ...]
 *
 * Not covered by Landlock, and so not by this: chmod, chown, setxattr and time stamps of files outside
 * the lists (contents stay out of reach), stat of any path, and with --connect datagrams, which find hosts.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Apart from the codes of foretoken's stages (0, 1, 2, 75); the last two are the shell's. */
enum { EXIT_USAGE = 120, EXIT_NOT_BOUND = 121, EXIT_ORPHAN = 122, EXIT_CANNOT_RUN = 126, EXIT_NOT_FOUND = 127 };

/* Numbers spelled out where headers may be older than the running kernel; the same for all processors. */
#ifndef SYS_io_uring_setup
#define SYS_io_uring_setup 425
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif
#define LL_RULE_PATH_BENEATH 1
#define LL_RULE_NET_PORT 2
#define LL_CREATE_RULESET_VERSION 1u
#define FS_EXECUTE (1ULL << 0)
#define FS_WRITE_FILE (1ULL << 1)
#define FS_READ_FILE (1ULL << 2)
#define FS_READ_DIR (1ULL << 3)
#define FS_REMOVE_DIR (1ULL << 4)
#define FS_REMOVE_FILE (1ULL << 5)
#define FS_MAKE_DIR (1ULL << 7)
#define FS_MAKE_REG (1ULL << 8)
#define FS_ABI_1 ((1ULL << 13) - 1)
#define FS_REFER (1ULL << 13)     /* ABI 2: rename and link across folders */
#define FS_TRUNCATE (1ULL << 14)  /* ABI 3 */
#define NET_BIND 1ULL             /* ABI 4: TCP */
#define NET_CONNECT 2ULL
#define FS_IOCTL_DEV (1ULL << 15) /* ABI 5 */
#define SCOPE_ALL 3ULL            /* ABI 6: abstract UNIX sockets, signals */

#define READ (FS_READ_FILE | FS_READ_DIR)
#define READ_EXECUTE (READ | FS_EXECUTE)
/* No symbolic links, devices, pipes or sockets for others to trip over. */
#define READ_WRITE                                                                                  \
  (READ | FS_WRITE_FILE | FS_TRUNCATE | FS_MAKE_DIR | FS_MAKE_REG | FS_REMOVE_DIR |                 \
   FS_REMOVE_FILE | FS_REFER)
#define DEVICE (READ | FS_WRITE_FILE | FS_TRUNCATE | FS_IOCTL_DEV)
/* What a rule on a file may hold; the kernel refuses the rest there. */
#define OF_A_FILE (FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE | FS_IOCTL_DEV)

struct ll_ruleset_attr {
  uint64_t fs, net, scoped;
};
struct ll_path_beneath_attr {
  uint64_t allowed;
  int32_t parent;
} __attribute__((packed));
struct ll_net_port_attr {
  uint64_t allowed, port;
};

/* The network that a program is left: nothing, what comes in at some ports, or what goes out to some. */
enum network { NO_NETWORK, INCOMING, OUTGOING };

static const char USAGE[] =
    "usage: launch [OPTION ...] -- PROGRAM [ARGUMENT ...]\n"
    "  --ro PATH    may be read, a folder with all that is below it\n"
    "  --rx PATH    may be read and executed\n"
    "  --rw PATH    may be read and written, not executed\n"
    "  --dev PATH   a device: read, write and ioctl\n"
    "  --gpu        NVIDIA's devices, shared memory and the names of own threads, where there is such a device\n"
    "  --bind PORT  may wait for connections at this TCP port (0: at a free one), and connect to none\n"
    "  --connect PORT  may connect to this TCP port of any host, and ask for the addresses of hosts\n"
    "  --require    does not start the program where it cannot be bound\n"
    "  --parent PID  does not start it where that process, which started this one, has ended\n"
    "  --verbose    tells of paths that do not exist (they are passed over)\n"
    "  --check      prints the Landlock ABI of this kernel and ends\n"
    "  --help       prints this\n";

static int landlock_abi(void) {
  return (int)syscall(SYS_landlock_create_ruleset, NULL, 0, LL_CREATE_RULESET_VERSION);
}

/* The rights that this kernel knows: the others cannot be asked for. */
static uint64_t handled_fs(int abi) {
  uint64_t fs = FS_ABI_1;
  if (abi >= 2) fs |= FS_REFER;
  if (abi >= 3) fs |= FS_TRUNCATE;
  if (abi >= 5) fs |= FS_IOCTL_DEV;
  return fs;
}

/* 0, or EXIT_NOT_BOUND after a message. */
static int allow(int ruleset, const char *path, uint64_t access, int verbose) {
  struct ll_path_beneath_attr rule = {access, open(path, O_PATH | O_CLOEXEC)};
  if (rule.parent < 0 && (errno == ENOENT || errno == ENOTDIR)) {
    if (verbose) fprintf(stderr, "launch: %s does not exist: passed over\n", path);
    return 0;
  }
  struct stat status;
  int failed = rule.parent < 0 || fstat(rule.parent, &status);
  if (!failed) {
    if (!S_ISDIR(status.st_mode)) rule.allowed &= OF_A_FILE;
    failed = (int)syscall(SYS_landlock_add_rule, ruleset, LL_RULE_PATH_BENEATH, &rule, 0);
  }
  if (failed) fprintf(stderr, "launch: cannot allow %s: %s\n", path, strerror(errno));
  if (rule.parent >= 0) close(rule.parent);
  return failed ? EXIT_NOT_BOUND : 0;
}

/* What an option with a port leaves, or 0 where it is no such option. */
static enum network network_of(const char *option) {
  if (!strcmp(option, "--bind")) return INCOMING;
  if (!strcmp(option, "--connect")) return OUTGOING;
  return NO_NETWORK;
}

/* A number from 0 to `most`, or -1. */
static long number_of(const char *text, long most) {
  char *end;
  errno = 0;
  const long number = strtol(text, &end, 10);
  return *text < '0' || *text > '9' || *end || errno || number > most ? -1 : number;
}

static long port_of(const char *text) { return number_of(text, 65535); }

/* 0, or EXIT_NOT_BOUND after a message. */
static int allow_port(int ruleset, const char *port, enum network network) {
  struct ll_net_port_attr rule = {network == INCOMING ? NET_BIND : NET_CONNECT, (uint64_t)port_of(port)};
  if (!syscall(SYS_landlock_add_rule, ruleset, LL_RULE_NET_PORT, &rule, 0)) return 0;
  fprintf(stderr, "launch: cannot allow port %s: %s\n", port, strerror(errno));
  return EXIT_NOT_BOUND;
}

/* The access that an option with a path gives, or 0 where it is no such option. */
static uint64_t access_of(const char *option) {
  if (!strcmp(option, "--ro")) return READ;
  if (!strcmp(option, "--rx")) return READ_EXECUTE;
  if (!strcmp(option, "--rw")) return READ_WRITE;
  if (!strcmp(option, "--dev")) return DEVICE;
  return 0;
}

/*
 * The names of this process's own threads (/proc/self/task/N/comm), which CUDA's driver insists on writing. The kernel
 * makes such folders anew when nobody holds them, and a rule would stay with the old one: so this one is held, by a
 * descriptor that the program inherits and that opens nothing. 0, or EXIT_NOT_BOUND.
 */
static int allow_own_threads(int ruleset, uint64_t handled_fs) {
  struct ll_path_beneath_attr rule = {(READ | FS_WRITE_FILE | FS_TRUNCATE) & handled_fs, open("/proc/self/task", O_PATH)};
  if (rule.parent >= 0 && !syscall(SYS_landlock_add_rule, ruleset, LL_RULE_PATH_BENEATH, &rule, 0)) return 0;
  fprintf(stderr, "launch: cannot allow /proc/self/task: %s\n", strerror(errno));
  return EXIT_NOT_BOUND;
}

/* NVIDIA's devices, and what else its driver uses; nothing where there is none. 0, or EXIT_NOT_BOUND. */
static int allow_gpu(int ruleset, uint64_t handled_fs, int verbose) {
  static const char *const others[] = {"ctl", "-uvm", "-uvm-tools", "-modeset", "-caps"};
  const int num_others = sizeof others / sizeof *others, num_gpus = 16;
  if (access("/dev/nvidiactl", F_OK) && access("/dev/nvidia0", F_OK)) return 0;
  int code = allow(ruleset, "/dev/shm", READ_WRITE & handled_fs, verbose);
  if (!code) code = allow_own_threads(ruleset, handled_fs);
  for (int i = 0; !code && i < num_others + num_gpus; i++) {
    char path[32];
    if (i < num_others) snprintf(path, sizeof path, "/dev/nvidia%s", others[i]);
    else snprintf(path, sizeof path, "/dev/nvidia%d", i - num_others);
    code = allow(ruleset, path, DEVICE & handled_fs, verbose);
  }
  return code;
}

/* Why there is no Landlock. */
static const char *why_none(void) { return errno == EOPNOTSUPP ? "switched off at boot" : "the kernel lacks it"; }

/* Binds this process to the paths and ports among the options. 0, or an exit code after a message. */
static int bind_files(char **options, int num_options, int required, int verbose) {
  const int abi = landlock_abi();
  if (abi < 1 && required) {
    fprintf(stderr, "launch: no Landlock here (%s), and --require asks for it\n", why_none());
    return EXIT_NOT_BOUND;
  }
  if (abi < 1) {
    fprintf(stderr,
            "launch: WARNING: no Landlock here (%s): native code is NOT kept from this machine's files;\n"
            "launch: WARNING: only Deno's own permissions hold, and they bind TypeScript alone\n",
            why_none());
    return 0;
  }
  struct ll_ruleset_attr handled = {handled_fs(abi), 0, 0};
  if (abi >= 4) handled.net = NET_BIND | NET_CONNECT;
  if (abi >= 6) handled.scoped = SCOPE_ALL;
  const int ruleset = (int)syscall(SYS_landlock_create_ruleset, &handled, sizeof handled, 0);
  if (ruleset < 0) {
    fprintf(stderr, "launch: cannot make a Landlock ruleset: %s\n", strerror(errno));
    return EXIT_NOT_BOUND;
  }
  for (int i = 0; i < num_options; i++) {
    const uint64_t access = access_of(options[i]);
    int code = 0;
    const enum network network = network_of(options[i]);
    if (access) code = allow(ruleset, options[++i], access & handled.fs, verbose);
    else if (network && handled.net) code = allow_port(ruleset, options[++i], network);
    else if (network) i++; /* an older kernel: the port stays Deno's to hold, the direction seccomp's */
    else if (!strcmp(options[i], "--gpu")) code = allow_gpu(ruleset, handled.fs, verbose);
    if (code) return code;
  }
  if (syscall(SYS_landlock_restrict_self, ruleset, 0)) {
    fprintf(stderr, "launch: cannot apply Landlock: %s\n", strerror(errno));
    return EXIT_NOT_BOUND;
  }
  close(ruleset);
  return 0;
}

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

#ifdef ARCHITECTURE
#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define RETURN(what) BPF_STMT(BPF_RET | BPF_K, what)
#define JUMP_IF(comparison, value, if_so, else) BPF_JUMP(BPF_JMP | comparison | BPF_K, value, if_so, else)
#define REFUSED RETURN(SECCOMP_RET_ERRNO | EPERM)
#define REFUSE(call) JUMP_IF(BPF_JEQ, call, 0, 1), REFUSED
/* Refuses a call in which an argument has a flag. */
#define REFUSE_FLAG(call, argument, flag)                                                           \
  JUMP_IF(BPF_JEQ, call, 0, 4), LOAD(args[argument]), JUMP_IF(BPF_JSET, flag, 0, 1), REFUSED,       \
      RETURN(SECCOMP_RET_ALLOW)
#define NO_CALL 0xffffu
#define NO_FAMILY 0xffffu

/*
 * Refuses calls that look into other processes or go past this filter, typing into the user's terminal, and the
 * network but for what the options leave. Without network, sockets of AF_UNIX that connections come in by stay, since
 * CUDA's driver makes one; but no connection goes out: Landlock does not keep from the sockets of other programs
 * (before ABI 9), and some of those start programs for whoever asks. With network, it is the other way round: an
 * address is out of a filter's sight, so where connect() stays, sockets of AF_UNIX go (pairs stay: Deno makes some).
 */
static int bind_calls(enum network network, int required) {
  (void)required; /* what fails here has never been passed over */
  const int outgoing = network == OUTGOING;
  struct sock_filter filter[] = {
      LOAD(arch),
      JUMP_IF(BPF_JEQ, ARCHITECTURE, 1, 0),
      RETURN(SECCOMP_RET_KILL_PROCESS), /* another ABI numbers its calls otherwise */
      LOAD(nr),
#ifdef __x86_64__
      JUMP_IF(BPF_JGE, 0x40000000, 0, 1), /* x32 */
      REFUSED,
#endif
      REFUSE(SYS_ptrace),
      REFUSE(SYS_process_vm_readv),
      REFUSE(SYS_process_vm_writev),
      REFUSE(SYS_pidfd_getfd),
      REFUSE(SYS_io_uring_setup), /* its requests are no system calls */
      REFUSE(SYS_open_by_handle_at),
      REFUSE(SYS_bpf),
      REFUSE(SYS_perf_event_open),
      JUMP_IF(BPF_JEQ, SYS_ioctl, 0, 6),
      LOAD(args[1]),     /* little-endian: the low word, which is all that ioctl(2) reads */
      REFUSE(TIOCSTI),   /* puts characters into a terminal's input: commands for the shell behind it */
      REFUSE(TIOCLINUX), /* pastes into a console's */
      RETURN(SECCOMP_RET_ALLOW),
      REFUSE_FLAG(SYS_sendto, 3, MSG_FASTOPEN), /* connects on the way, past connect() and Landlock */
      REFUSE_FLAG(SYS_sendmsg, 2, MSG_FASTOPEN),
      REFUSE_FLAG(SYS_sendmmsg, 3, MSG_FASTOPEN),
      REFUSE(outgoing ? NO_CALL : SYS_connect),
      JUMP_IF(BPF_JEQ, SYS_socket, 2, 0),
      JUMP_IF(BPF_JEQ, SYS_socketpair, 7, 0),
      RETURN(SECCOMP_RET_ALLOW),
      LOAD(args[0]), /* of socket: the family; the low word again */
      JUMP_IF(BPF_JEQ, network ? AF_INET : NO_FAMILY, 7, 0),
      JUMP_IF(BPF_JEQ, network ? AF_INET6 : NO_FAMILY, 6, 0),
      JUMP_IF(BPF_JEQ, outgoing ? AF_NETLINK : NO_FAMILY, 15, 0), /* the C library: which addresses there are */
      JUMP_IF(BPF_JEQ, outgoing ? NO_FAMILY : AF_UNIX, 9, 0),
      REFUSED,
      LOAD(args[0]), /* of socketpair */
      JUMP_IF(BPF_JEQ, AF_UNIX, 6, 0),
      REFUSED,
      LOAD(args[1]), /* of the internet: the type */
      BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xf), /* less the flags */
      JUMP_IF(BPF_JEQ, outgoing ? SOCK_DGRAM : NO_FAMILY, 7, 0), /* to ask for a host's address */
      JUMP_IF(BPF_JEQ, SOCK_STREAM, 6, 0),
      REFUSED,
      LOAD(args[1]), /* of AF_UNIX */
      BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xf),
      JUMP_IF(BPF_JEQ, SOCK_STREAM, 2, 0),
      JUMP_IF(BPF_JEQ, SOCK_SEQPACKET, 1, 0),
      REFUSED, /* datagrams go anywhere without a connection, from either end of a pair too */
      RETURN(SECCOMP_RET_ALLOW),
  };
  const struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
  if (!syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program)) return 0;
  fprintf(stderr, "launch: cannot apply seccomp: %s\n", strerror(errno));
  return EXIT_NOT_BOUND;
}
#else
static int bind_calls(enum network network, int required) {
  (void)network;
  if (required) {
    fprintf(stderr, "launch: no seccomp filter for this processor, and --require asks for one\n");
    return EXIT_NOT_BOUND;
  }
  fprintf(stderr, "launch: WARNING: no seccomp filter for this processor: sockets are NOT refused\n");
  return 0;
}
#endif

/*
 * For root, in a container say: keeps what access to files and memory takes, drops the rest for good. With
 * CAP_PERFMON the kernel shows other processes' memory and environment, whatever Landlock says (since 6.15).
 */
static void drop_capabilities(void) {
  for (int capability = 0; capability < 64; capability++) {
    switch (capability) {
    case CAP_DAC_OVERRIDE:
    case CAP_DAC_READ_SEARCH:
    case CAP_FOWNER:
    case CAP_IPC_LOCK:
    case CAP_SYS_NICE:
      break;
    default:
      prctl(PR_CAPBSET_DROP, capability, 0, 0, 0); /* fails for who has none to drop */
    }
  }
}

/* A descriptor that is open already is bound by nothing: only the standard three go on. */
static void close_inherited(void) {
  if (!syscall(SYS_close_range, 3u, ~0u, 0u)) return;
  struct rlimit limit; /* before Linux 5.9 */
  const int end = getrlimit(RLIMIT_NOFILE, &limit) ? 1024 : (int)limit.rlim_cur;
  for (int fd = 3; fd < end; fd++) close(fd);
}

static int check(void) {
  const int abi = landlock_abi();
  if (abi < 1) {
    printf("Landlock: none (%s)\n", why_none());
    return EXIT_NOT_BOUND;
  }
#ifndef ARCHITECTURE
  printf("Landlock: ABI %d, but no seccomp filter for this processor\n", abi);
  return EXIT_NOT_BOUND;
#endif
  printf("Landlock: ABI %d\n", abi);
  return 0;
}

int main(int argc, char **argv) {
  enum network network = NO_NETWORK;
  int verbose = 0, required = 0, i = 1;
  long parent = 0; /* unknown */
  for (; i < argc && strcmp(argv[i], "--"); i++) {
    if (access_of(argv[i])) {
      if (++i == argc) {
        fprintf(stderr, "launch: %s needs a path\n", argv[i - 1]);
        return EXIT_USAGE;
      }
    } else if (!strcmp(argv[i], "--gpu")) {
      continue;
    } else if (network_of(argv[i])) {
      if (network && network != network_of(argv[i])) {
        fprintf(stderr, "launch: --bind and --connect do not go together\n");
        return EXIT_USAGE;
      }
      network = network_of(argv[i]);
      if (++i == argc || port_of(argv[i]) < 0) {
        fprintf(stderr, "launch: %s needs a port\n", argv[i - 1]);
        return EXIT_USAGE;
      }
    } else if (!strcmp(argv[i], "--parent")) {
      if (++i == argc || (parent = number_of(argv[i], INT_MAX)) < 1) {
        fprintf(stderr, "launch: --parent needs the number of a process\n");
        return EXIT_USAGE;
      }
    } else if (!strcmp(argv[i], "--require")) {
      required = 1;
    } else if (!strcmp(argv[i], "--verbose")) {
      verbose = 1;
    } else if (!strcmp(argv[i], "--check")) {
      return check();
    } else if (!strcmp(argv[i], "--help")) {
      fputs(USAGE, stdout);
      return 0;
    } else {
      fprintf(stderr, "launch: unknown option %s\n%s", argv[i], USAGE);
      return EXIT_USAGE;
    }
  }
  if (argc - i < 2) {
    fprintf(stderr, "launch: no program after --\n%s", USAGE);
    return EXIT_USAGE;
  }

  /* A stage does not outlive the runner that holds the lock of its folder: it saves and ends. */
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (parent && getppid() != parent) { /* it ended before that was asked for: no signal comes any more */
    fprintf(stderr, "launch: process %ld, which started this one, has ended\n", parent);
    return EXIT_ORPHAN;
  }
  close_inherited();
  drop_capabilities();
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) {
    fprintf(stderr, "launch: cannot give up privileges: %s\n", strerror(errno));
    return EXIT_NOT_BOUND;
  }
  int code = bind_files(argv + 1, i - 1, required, verbose);
  if (!code) code = bind_calls(network, required);
  if (code) return code;

  char **program = argv + i + 1;
  execv(program[0], program);
  const int missing = errno == ENOENT;
  fprintf(stderr, "launch: cannot run %s: %s\n", program[0], strerror(errno));
  return missing ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN;
}
