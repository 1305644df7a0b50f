// The mount system calls that the oldest C libraries this is built with do not wrap yet: fsopen(2) and its kin.
#pragma once

namespace covirt {

// A copy of the mount tree at `path`, attached nowhere; -1, with errno.
int CloneTree(const char *path);

// A new mount of a block device or, with `type` "overlay" or "tmpfs", of none, attached nowhere; -1, with errno.
// `options` are pairs of key and value, ending with a null.
int NewMount(const char *type, const char *const *options, bool read_only);

// Maps the owners in all of a tree that is attached nowhere.
bool MapTree(int tree, int user_namespace);

// Makes all of a tree that is attached nowhere read-only.
bool FreezeTree(int tree);

// Lets set-user-ID programs and devices in a tree that is attached nowhere be nothing special.
bool ConfineTree(int tree);

// Attaches a tree at `path`.
bool AttachTree(int tree, const char *path);

// Lets no mount of this mount namespace be seen in others.
bool StopPropagation();

}  // namespace covirt
