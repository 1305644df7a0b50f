// The verbs of covirt-lxc: each does its work on an open container and returns the exit code.
#pragma once

#include <stdio.h>

#include "liblxc.h"
#include "program/log.h"
#include "program/options.h"

namespace covirt {

struct Job {
  const LibLxc &lib;
  const Options &options;
  const Log &log;
  lxc_container *container;
};

// The exit code of every verb that failed, after its error line.
constexpr int kFailed = 1;

// One line: {"error":{"op","name","errno","message","cgroup","log":[...]}}. Returns kFailed. `cgroup` is our own
// /proc/self/cgroup: liblxc put us next to the monitor, which could not remove its cgroup with us in it.
int Fail(const Options &options, const Log &log, FILE *out, int error, const char *message);

// Starts a container as a daemon, with options.argv as its init where given; prints {"initPid":N,"cgroup"} once that runs.
// With options.paused, and where that can be, prints {"heldPid":N} before, while init stands at its first
// instruction, and lets it go when stdin ends; else the result has the reason as "ranBecause".
int Start(const Job &job);

// Runs options.argv in a running container with our stdin, stdout and stderr, or, with options.columns, on a terminal
// between it and them. Its environment is those of our variables that begin with '@'. On the control descriptor:
// {"pid":N}, then {"exit":{"code":N}} or {"exit":{"signal":N}}, or the error line; see Supervisor for what it hears
// there. With options.cgroups and options.unified_cgroup, all that the container has, it comes to be there faster.
int Attach(const Job &job);

// As Attach, without liblxc, where options.init says what to run it beside; see Confinement for what holds it then. Negative
// where that cannot be done: nothing has been done.
int AttachDirectly(const Options &options);

// Prints {"filter":"..."}: the filter of system calls that liblxc gives to a program in this running container, in
// hexadecimal digits, or an empty one where it gives none.
int Filter(const Job &job);

// Prints {"interfaces":[{"name","mac","addresses":[{"family","address","prefix"}]}]} of a running container.
int Interfaces(const Job &job);

// Adds a network link to a running container, removes one or changes it. argv is `add`, `remove` or `set`, and then the
// link in the words of lxc.container.conf(5), KEY=VALUE without "lxc.net.N.": type (veth, macvlan, phys), name, link,
// veth.pair and so on. `set` brings it up or down, and to another bridge. Prints {"done":true}.
int Link(const Job &job);

// Mounts options.stages[0] in a running container, or unmounts what is there. argv is `add PATH`, `remove PATH` or
// `remove-lazily PATH`, which does so while it is in use. Prints {"done":true}.
int Mount(const Job &job);

// Does one thing with the files of a container, one that runs or, with options.root, one that does not. argv is
// `stat PATH FOLLOW`, `list PATH`, `read PATH OFFSET LENGTH`, `write PATH MODE UID GID`, `mkdir PATH PARENTS MODE UID
// GID` or `remove PATH RECURSIVE`. On the control descriptor: for read and write {"open":true} first, for stat the
// information, and in the end {"done":true}, or the error line. A write is done when it hears `commit` there.
int Files(const Job &job);

}  // namespace covirt
