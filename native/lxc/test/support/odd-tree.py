"""odd-tree.py make DIRECTORY NAME LEVELS: fills a new directory with everything that a file system may hold, and so many of that name in
each other.
odd-tree.py facts DIRECTORY...: prints what is in each, a line for each name, in an order of its own; then an empty line.
odd-tree.py swap DIRECTORY: has the directory `inner` and the link `other` in it change places until it is ended."""
import errno
import hashlib
import json
import os
import stat
import struct
import sys

# Not changed by reading (mount(8), relatime).
LATER = 3_000_000_000_123_456_789


def acl(*entries):
    return struct.pack('<I', 2) + b''.join(struct.pack('<HHI', *entry) for entry in entries)


NOBODY = 0xFFFFFFFF
ACL = acl((1, 6, NOBODY), (2, 7, 4321), (4, 4, NOBODY), (16, 7, NOBODY), (32, 0, NOBODY))
CAPABILITY = struct.pack('<IIIII', 0x02000001, 1 << 13, 0, 0, 0)


def attribute(path, name, value):
    try:
        os.setxattr(path, name, value, follow_symlinks=False)
    except OSError as error:
        if error.errno != errno.EOPNOTSUPP:
            raise


def write(path, content, mode=0o644):
    with open(path, 'wb') as file:
        file.write(content)
    os.chmod(path, mode)


def make(directory, deeper, levels):
    os.umask(0)
    os.makedirs(directory)
    os.chdir(directory)
    for name in ('empty', 'links', 'with space', 'nodes'):
        os.mkdir(name)
    os.mkdir('sticky', 0o1777)
    os.mkdir('closed', 0)
    os.mkdir('group', 0o2775)
    os.chmod('group', 0o2775)
    write('empty-file', b'', 0o600)
    write('read-only', b'one line\n', 0o444)
    write('large', os.urandom(300_000))
    write('group/inside', b'x', 0o2755)
    for name in (b'new\nline', b'-rf', b'\xff\xfe', b'n' * 255, b'.hidden', b'..more'):
        write(name, name)
    with open('holes', 'wb') as file:
        for place in (1 << 20, 5 << 20):
            file.seek(place)
            file.write(b'here')
        file.truncate(8 << 20)
    write('hole-alone', b'')
    os.truncate('hole-alone', 1 << 20)
    write('set-id', b'#!', 0o755)
    os.chown('set-id', 1234, 5678)
    os.chmod('set-id', 0o6755)
    write('capable', b'#!', 0o755)
    os.chown('capable', 1234, 5678)
    attribute('capable', 'security.capability', CAPABILITY)
    write('attributes', b'', 0o400)
    attribute('attributes', 'user.odd', b'\0' * 100)
    attribute('attributes', 'user.none', b'')
    attribute('attributes', 'trusted.odd', b'v' * 2000)
    attribute('attributes', 'system.posix_acl_access', ACL)
    attribute('empty', 'system.posix_acl_default', ACL)
    attribute('empty', 'user.directory', b'yes')
    for name, target in (('loop', 'loop'), ('dangling', '/nowhere'), ('long', 'x/' * 2000), ('up', '../..')):
        os.symlink(target, f'links/{name}')
    os.lchown('links/up', 1234, 5678)
    attribute('links/up', 'trusted.link', b'1')
    nodes = (('fifo', stat.S_IFIFO, 0), ('socket', stat.S_IFSOCK, 0), ('null', stat.S_IFCHR, os.makedev(1, 3)),
             ('whiteout', stat.S_IFCHR, 0), ('loop0', stat.S_IFBLK, os.makedev(7, 4000)))
    for name, kind, device in nodes:
        os.mknod(f'nodes/{name}', kind | 0o640, device)
    os.chown('nodes/null', 12, 34)
    attribute('nodes/null', 'trusted.node', b'1')
    for name in ('large', 'links/up', 'nodes/fifo', 'nodes/whiteout', 'set-id'):
        for number in (1, 2):
            os.link(name, f'with space/{os.path.basename(name)}-{number}', follow_symlinks=False)
    for level in range(int(levels)):
        os.mkdir(deeper)
        for name in ('a', 'y', 'z') if level % 25 == 0 else ():
            os.mkdir(name)
            write(f'{name}/file', str(level).encode())
        os.chdir(deeper)
    write('\x01bottom', b'')
    os.chdir(directory)
    for number, (_, directories, files, fd) in enumerate(os.fwalk(b'.', topdown=False)):
        for name in directories + files:
            os.utime(name, ns=(LATER, 1_000_000_000_987_654_321 + number), dir_fd=fd, follow_symlinks=False)
    os.utime('.', ns=(LATER, 1))


def segments(fd, size):
    found, at = [], 0
    while at < size:
        try:
            start = os.lseek(fd, at, os.SEEK_DATA)
        except OSError:
            break
        at = os.lseek(fd, start, os.SEEK_HOLE)
        found.append((start, at))
    return found


def content(name, fd, size):
    file = os.open(name, os.O_RDONLY, dir_fd=fd)
    try:
        data = segments(file, size)
        with open(file, 'rb', closefd=False) as opened:
            opened.seek(0)
            return hashlib.sha256(opened.read()).hexdigest(), data
    finally:
        os.close(file)


def facts(*directories):
    for directory in directories:
        print('\n'.join(lines_of(directory)), end='\n\n')


def lines_of(directory):
    names = {}
    lines = []
    os.chdir(directory)
    for path, directories, files, fd in os.fwalk(b'.'):
        directories.sort()
        for name in sorted(directories + files) + ([b'.'] if path == b'.' else []):
            info = os.stat(name, dir_fd=fd, follow_symlinks=False)
            place = b'/proc/self/fd/%d/%s' % (fd, name)
            fact = {
                'path': hashlib.sha1(path).hexdigest() if len(path) > 200 else repr(path),
                'name': repr(name),
                'mode': oct(info.st_mode),
                'owner': [info.st_uid, info.st_gid],
                'times': [info.st_atime_ns, info.st_mtime_ns],
                'attributes': {each: os.getxattr(place, each, follow_symlinks=False).hex()
                               for each in sorted(os.listxattr(place, follow_symlinks=False))},
            }
            if not stat.S_ISDIR(info.st_mode):
                first = names.setdefault((info.st_dev, info.st_ino), repr(path + name))
                fact.update(size=info.st_size, device=info.st_rdev, links=info.st_nlink,
                            same=hashlib.sha1(first.encode()).hexdigest())
            if stat.S_ISREG(info.st_mode):
                fact['content'] = content(name, fd, info.st_size)
            if stat.S_ISLNK(info.st_mode):
                fact['target'] = os.fsdecode(os.readlink(name, dir_fd=fd))
            lines.append(json.dumps(fact))
    return lines


def swap(directory):
    os.chdir(directory)
    print('going', flush=True)
    while True:
        for one, other in (('inner', 'aside'), ('other', 'inner'), ('inner', 'other'), ('aside', 'inner')):
            os.rename(one, other)


{'make': make, 'facts': facts, 'swap': swap}[sys.argv[1]](*sys.argv[2:])
