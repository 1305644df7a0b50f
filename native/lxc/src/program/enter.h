// Brings a program into a container as liblxc does, without it: what it would ask the container's monitor and read from its
// configuration is given. Several milliseconds sooner, which is most of what running a short program takes.
#pragma once

#include <linux/filter.h>
#include <stdint.h>
#include <sys/types.h>

#include "program/member.h"
#include "program/options.h"

namespace covirt {

// What a process of the container is held by.
struct Confinement {
  int init;                 // a pidfd
  int namespaces;           // of clone(2): those of init that are not ours
  uint64_t capabilities;    // that a program may ever get: those that init may
  unsigned owner;           // root inside, as the host counts; ours where there is no user namespace
  unsigned owner_group;
  unsigned user;            // as which the program runs, as the host counts; -1 where the host has no such
  unsigned group;
  bool no_new_privileges;
  struct sock_fprog filter; // of system calls; empty for none
  int uid;                  // inside, or -1
  int gid;
};

// False where options.init is not there any more, or where only liblxc knows how: a security module labels its processes.
bool ReadConfinement(const Options &options, Confinement *confinement);

// Runs `execute` as a process of the container, which is our child and dies with us. Its number, or -1: nothing runs.
pid_t Enter(const Confinement &confinement, const Groups &groups, int (*execute)(void *argument), void *argument);

}  // namespace covirt
