// Package box starts a command in a sandbox of its own, made of what the kernel gives:
//
//   - namespaces: user, PID, mount, IPC, UTS, network (with nothing but a loopback);
//   - a private root, in which there is what the command needs and nothing else, all of
//     it read-only, with a /proc of its own, and a /tmp and a /dev/shm of bounded size;
//   - for the code under test, another user ID than its supervisor's where that can be
//     had, no capability, no_new_privs, a filter of system calls (seccomp), Landlock;
//   - limits of memory and of processes by control groups, and resource limits.
//
// The command is process 1 of its PID namespace. When it ends, or is killed, or whoever
// started it is, the kernel ends all that is in there, and the mounts go with the last
// process. What would stay (folders of control groups) is locked by its maker, and
// removed by the next one to come when the lock is free.
//
// A supervisor runs inside, so that it sees the same numbers of processes and the same
// paths as the tests that it watches; the code under test then enters, as its child, by
// an airlock: a thread that gives up all it has before it starts the child.
//
// No layer is assumed. Probe tries each, and what it says is kept with every result.
package box
