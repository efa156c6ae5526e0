/**
 * The launcher holds what it starts: Deno with every permission of its own, and through it any code in the process,
 * reads and writes only what the options allow, and reaches no network.
 */

import assert from "node:assert/strict";
import { join } from "node:path";
import { exists } from "../../src/formats/atomic.ts";
import { landlock, launch, LAUNCHER, withLandlock, withLauncher } from "./launcher.ts";

/** Enough for any program to start. */
const SYSTEM = ["/usr", "/lib", "/lib64", "/etc/ld.so.cache", "/proc", "/sys"].flatMap((
  path,
) => ["--rx", path]);
const DEVICES = ["--dev", "/dev/null", "--ro", "/dev/urandom"];

/** Runs code with all of Deno's permissions, behind the launcher; it prints one JSON value. */
async function probe(options: string[], code: string): Promise<unknown> {
  const deno = Deno.execPath();
  const args = [
    ...SYSTEM,
    ...DEVICES,
    "--rx",
    deno,
    ...options,
    "--",
    deno,
    "eval",
    "--no-config",
    HELPERS + code,
  ];
  const { stdout, stderr } = await launch(args, { DENO_DIR: "/dev/null/deno" });
  assert(stdout !== "", stderr);
  return JSON.parse(stdout);
}

/** In the probe: the name of the error that an action ends in, or "done". */
const HELPERS = `
  const tried = async (act) => { try { await act(); return "done"; } catch (e) { return e.name; } };
  const print = (value) => console.log(JSON.stringify(value));
`;

withLandlock("a launched program reads inside its lists and not outside, from any thread", async (folder) => {
  const [inside, outside] = [join(folder, "inside"), join(folder, "outside")];
  for (const path of [inside, outside]) {
    Deno.mkdirSync(path);
    Deno.writeTextFileSync(join(path, "file"), "#!/bin/true", { mode: 0o755 });
  }
  const seen = await probe(
    ["--ro", inside],
    `
    const reads = async (path) => [
      await tried(() => Deno.readTextFileSync(path)),
      await tried(() => Deno.readTextFile(path)),
      await tried(() => import("node:fs").then((fs) => fs.promises.readFile(path))),
    ];
    print({
      inside: await reads("${inside}/file"),
      outside: await reads("${outside}/file"),
      folder: await tried(() => [...Deno.readDirSync("${outside}")]),
      system: await tried(() => Deno.readTextFileSync("/etc/passwd")),
      execute: await tried(() => new Deno.Command("${inside}/file").outputSync()),
      write: await tried(() => Deno.writeTextFileSync("${inside}/new", "")),
      remove: await tried(() => Deno.removeSync("${inside}/file")),
    });
  `,
  );
  const refused = "PermissionDenied";
  assert.deepEqual(seen, {
    inside: ["done", "done", "done"],
    outside: [refused, refused, "Error"], // node's own class
    folder: refused,
    system: refused,
    execute: refused,
    write: refused,
    remove: refused,
  });
});

withLandlock(
  "a launched program writes inside its lists and not outside, and cannot lead others astray",
  async (folder) => {
    const [inside, outside] = [join(folder, "inside"), join(folder, "outside")];
    for (const path of [inside, outside]) Deno.mkdirSync(path);
    Deno.writeTextFileSync(join(outside, "file"), "text");
    const seen = await probe(
      ["--rw", inside, "--ro", outside],
      `
    print({
      write: await tried(() => Deno.writeTextFileSync("${inside}/new", "text")),
      rename: await tried(() => Deno.renameSync("${inside}/new", "${inside}/newer")),
      folder: await tried(() => Deno.mkdirSync("${inside}/a/b", { recursive: true })),
      across: await tried(() => Deno.renameSync("${inside}/newer", "${inside}/a/b/newer")),
      truncate: await tried(() => Deno.truncateSync("${inside}/a/b/newer")),
      remove: await tried(() => Deno.removeSync("${inside}/a", { recursive: true })),
      writeOutside: await tried(() => Deno.writeTextFileSync("${outside}/file", "other")),
      truncateOutside: await tried(() => Deno.truncateSync("${outside}/file")),
      renameOutside: await tried(() => Deno.renameSync("${outside}/file", "${inside}/file")),
      link: await tried(() => Deno.symlinkSync("/etc", "${inside}/link")),
      hardLink: await tried(() => Deno.linkSync("${outside}/file", "${inside}/file")),
      program: await tried(() => {
        Deno.writeTextFileSync("${inside}/program", "#!/bin/true", { mode: 0o755 });
        new Deno.Command("${inside}/program").outputSync();
      }),
    });
  `,
    ) as Record<string, string>;
    const allowed = ["write", "rename", "folder", "across", "truncate", "remove"];
    for (const [what, ended] of Object.entries(seen)) {
      if (allowed.includes(what)) assert.equal(ended, "done", what);
      else assert.notEqual(ended, "done", what);
    }
    assert.equal(Object.keys(seen).length, 12);
    assert.equal(Deno.readTextFileSync(join(outside, "file")), "text");
    assert.deepEqual([...Deno.readDirSync(inside)].map(({ name }) => name), ["program"]);
  },
);

withLandlock("--gpu gives shared memory only where there is a GPU", async () => {
  const [writes, hasGpu] = await probe(
    ["--gpu"],
    `
    const { existsSync } = await import("node:fs");
    const file = "/dev/shm/foretoken-test-${Deno.pid}";
    print([
      await tried(() => { Deno.writeTextFileSync(file, ""); Deno.removeSync(file); }),
      existsSync("/dev/nvidiactl") || existsSync("/dev/nvidia0"),
    ]);
  `,
  ) as [string, boolean];
  assert.equal(writes, hasGpu ? "done" : "PermissionDenied");
});

withLandlock("with a GPU a program may name its own threads, and write nothing else of /proc", async () => {
  const shell = "echo me > /proc/self/task/$$/comm && echo own; " +
    "echo 0 > /proc/self/oom_score_adj && echo score; " +
    "echo 0 > /proc/$PPID/oom_score_adj && echo parent; " +
    "cat /proc/sys/kernel/panic > /proc/sys/kernel/panic && echo system; " +
    "test -e /dev/nvidiactl -o -e /dev/nvidia0 && echo gpu; true";
  const programs = ["/usr", "/bin", "/lib", "/lib64"].flatMap((path) => ["--rx", path]);
  const { code, stdout, stderr } = await launch([
    "--gpu",
    ...programs,
    ...["--ro", "/proc", "--dev", "/dev/null", "--", "/bin/sh", "-c", shell],
  ]);
  assert.equal(code, 0, stderr);
  const hasGpu = stdout.includes("gpu");
  assert.equal(stdout, hasGpu ? "own\ngpu\n" : "");
});

withLandlock("a launched program cannot signal, or look into, the process that started it", async () => {
  const seen = await probe(
    [],
    `
    print({
      kill: await tried(() => Deno.kill(${Deno.pid}, "SIGCONT")),
      memory: await tried(() => Deno.readTextFileSync("/proc/${Deno.pid}/environ")),
    });
  `,
  ) as Record<string, string>;
  if (landlock >= 6) assert.notEqual(seen.kill, "done");
  assert.notEqual(seen.memory, "done");
});

const REFUSED = "PermissionDenied";

/** What a program tries with sockets, and how each attempt ends. */
const NETWORK = `
  const c = Deno.dlopen("libc.so.6", { socket: { parameters: ["i32", "i32", "i32"], result: "i32" } }).symbols;
  const [INET, DATAGRAM] = [2, 2];
  print({
    listen: await tried(() => Deno.listen({ hostname: "127.0.0.1", port: 0 }).close()),
    connect: await tried(() => Deno.connect({ hostname: "127.0.0.1", port: 9 })),
    elsewhere: await tried(() => Deno.connect({ hostname: "127.0.0.1", port: 7 })),
    datagram: c.socket(INET, DATAGRAM, 0) < 0 ? "PermissionDenied" : "done",
    unix: await tried(() => Deno.connect({ transport: "unix", path: "/nowhere" })),
  });
`;

withLauncher("a launched program reaches nobody over a socket and is reached by nobody", async () => {
  assert.deepEqual(await probe([], NETWORK), {
    listen: REFUSED,
    connect: REFUSED,
    elsewhere: REFUSED,
    datagram: REFUSED,
    unix: REFUSED,
  });
});

withLauncher("--connect leaves TCP connections to that port, and no socket of another program", async () => {
  assert.deepEqual(await probe(["--connect", "9"], NETWORK), {
    listen: landlock < 4 ? "done" : REFUSED,
    connect: "ConnectionRefused", // by the system: nobody listens there
    elsewhere: landlock < 4 ? "ConnectionRefused" : REFUSED,
    datagram: "done", // hosts are found with datagrams
    unix: REFUSED,
  });
});

withLauncher("--bind leaves waiting for TCP connections at that port, and none that goes out", async () => {
  assert.deepEqual(await probe(["--bind", "0"], NETWORK), {
    listen: "done",
    connect: REFUSED,
    elsewhere: REFUSED,
    datagram: REFUSED,
    unix: REFUSED,
  });
  if (landlock >= 4) {
    assert.equal((await probe(["--bind", "9"], NETWORK) as { listen: string }).listen, REFUSED);
  }
});

withLauncher("a launched program does not connect by sending, past what connect() is held to", async () => {
  const fastOpen = `
    const c = Deno.dlopen("libc.so.6", {
      socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
      sendto: { parameters: ["i32", "buffer", "usize", "i32", "buffer", "i32"], result: "isize" },
      __errno_location: { parameters: [], result: "pointer" },
    }).symbols;
    const [INET, STREAM, MSG_FASTOPEN] = [2, 1, 0x20000000];
    const address = new Uint8Array([INET, 0, 0, 7, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]); // 127.0.0.1:7
    const fd = c.socket(INET, STREAM, 0);
    const sent = c.sendto(fd, new Uint8Array(1), 1n, MSG_FASTOPEN, address, 16);
    print([fd > 0, Number(sent), new Deno.UnsafePointerView(c.__errno_location()).getInt32()]);
  `;
  const EPERM = 1;
  for (const option of ["--connect", "--bind"]) {
    assert.deepEqual(await probe([option, "9"], fastOpen), [true, -1, EPERM], option);
  }
});

withLauncher("a launched program makes no pair of datagram sockets, which could send anywhere", async () => {
  const pairs = `
    const c = Deno.dlopen("libc.so.6", {
      socketpair: { parameters: ["i32", "i32", "i32", "buffer"], result: "i32" },
    }).symbols;
    const [UNIX, STREAM, DATAGRAM, SEQPACKET, RAW] = [1, 1, 2, 5, 3];
    print([STREAM, SEQPACKET, DATAGRAM, RAW].map((type) => c.socketpair(UNIX, type, 0, new Int32Array(2))));
  `;
  assert.deepEqual(await probe([], pairs), [0, 0, -1, -1]);
});

withLauncher("a launched program types nothing into the user's terminal", async () => {
  const ioctls = `
    const c = Deno.dlopen("libc.so.6", {
      ioctl: { parameters: ["i32", "u64", "buffer"], result: "i32" },
      __errno_location: { parameters: [], result: "pointer" },
    }).symbols;
    const errno = (request) => {
      const failed = c.ioctl(0, request, new Uint8Array(64));
      return failed ? new Deno.UnsafePointerView(c.__errno_location()).getInt32() : 0;
    };
    print([0x5412n, 0x541cn, 0x100005412n, 0x5413n].map(errno));
  `;
  const [EPERM, ENOTTY] = [1, 25]; // standard input is no terminal
  assert.deepEqual(await probe([], ioctls), [EPERM, EPERM, EPERM, ENOTTY]);
});

withLauncher("what a launched program starts stays bound", async (folder) => {
  Deno.writeTextFileSync(join(folder, "secret"), "text");
  const seen = await probe(
    [],
    `
    const { success, stdout } = new Deno.Command("/bin/cat", { args: ["${folder}/secret"] }).outputSync();
    print([success, stdout.length]);
  `,
  );
  assert.deepEqual(seen, landlock < 1 ? [true, 4] : [false, 0]);
});

withLauncher(
  "the launcher hands on arguments, exit code and the three standard descriptors only",
  async () => {
    const list = await launch([...SYSTEM, "--", "/bin/ls", "/proc/self/fd"]);
    assert.deepEqual(list.stdout.trim().split("\n"), ["0", "1", "2", "3"], list.stderr); // 3: ls reads the folder
    const shell = await launch([
      ...SYSTEM,
      "--",
      "/bin/sh",
      "-c",
      'echo "$1|$2"; exit 75',
      "sh",
      "a b",
      "--ro",
    ]);
    assert.deepEqual([shell.stdout, shell.code], ["a b|--ro\n", 75]);
  },
);

withLauncher("the launcher tells wrong options and missing programs by exit code and sentence", async () => {
  const cases: [args: string[], code: number, message: RegExp][] = [
    [[], 120, /^launch: no program after --\nusage: /],
    [["--"], 120, /^launch: no program after --\n/],
    [["--rwx", "/", "--", "/bin/true"], 120, /^launch: unknown option --rwx\n/],
    [["--ro"], 120, /^launch: --ro needs a path\n$/],
    [["--parent"], 120, /^launch: --parent needs the number of a process\n$/],
    [["--parent", "-1", "--", "/bin/true"], 120, /^launch: --parent needs the number of a process\n$/],
    [["--bind"], 120, /^launch: --bind needs a port\n$/],
    [["--connect", "http"], 120, /^launch: --connect needs a port\n$/],
    [["--connect", "70000"], 120, /^launch: --connect needs a port\n$/],
    [["--bind", "80", "--connect", "80"], 120, /^launch: --bind and --connect do not go together\n$/],
    [
      ["--verbose", "--ro", "/nowhere", ...SYSTEM, "--", "/bin/true"],
      0,
      /^launch: \/nowhere does not exist: passed over\n/,
    ],
    [[...SYSTEM, "--", "/nowhere"], 127, /^launch: cannot run \/nowhere: No such file or directory\n$/],
    [[...SYSTEM, "--", "/usr"], 126, /^launch: cannot run \/usr: Permission denied\n$/],
  ];
  for (const [args, code, message] of cases) {
    const ended = await launch(args);
    assert.equal(ended.code, code, args.join(" "));
    assert.match(ended.stderr, message);
  }
});

withLauncher("a program does not begin where the process that asked for it has ended before", async () => {
  const program = [...SYSTEM, "--", "/bin/echo", "began"];
  const own = await launch(["--parent", String(Deno.pid), ...program]);
  assert.deepEqual([own.code, own.stdout], [0, "began\n"], own.stderr);
  const gone = await launch(["--parent", String(2 ** 31 - 1), ...program]); // no process has this number
  assert.deepEqual([gone.code, gone.stdout], [122, ""]);
  assert.equal(gone.stderr, "launch: process 2147483647, which started this one, has ended\n");
});

withLauncher("a program is told to end when the process that started it is killed", async (folder) => {
  const shell =
    `trap 'echo told > ${folder}/told; exit' TERM; echo > ${folder}/ready; while :; do sleep 0.05; done`;
  const args = [...SYSTEM, "--dev", "/dev/null", "--rw", folder, "--", "/bin/sh", "-c", shell];
  const starts = `await new Deno.Command(${JSON.stringify(LAUNCHER)}, { args: ${
    JSON.stringify(args)
  } }).spawn().status`;
  const runner = new Deno.Command(Deno.execPath(), { args: ["eval", starts], stdin: "null" }).spawn();
  await appears(join(folder, "ready"));
  runner.kill("SIGKILL");
  await runner.status;
  await appears(join(folder, "told"));
});

async function appears(file: string): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if (exists(file)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.fail(`${file} did not appear within 10 s`);
}
