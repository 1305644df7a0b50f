"""Uses virt-manager as a person would, through its accessibility tree (AT-SPI), until CONTAINER is shut down.

Usage: virt-manager.py CONTAINER MACHINE SCREENSHOT

Prints a line for each thing that it saw or did; fails where one does not come within half a minute.
"""
import sys
import time

import gi

gi.require_version('Atspi', '2.0')
gi.require_version('Gdk', '3.0')
from gi.repository import Atspi, Gdk, GLib

PATIENCE_S = 30
container, machine, screenshot = sys.argv[1:4]


def below(node):
    """All accessible things below one; those that vanish meanwhile are left out."""
    try:
        yield node
        children = [node.get_child_at_index(index) for index in range(node.get_child_count())]
    except GLib.Error:
        return
    for child in children:
        if child is not None:
            yield from below(child)


def windows():
    desktop = Atspi.get_desktop(0)
    for app in (desktop.get_child_at_index(index) for index in range(desktop.get_child_count())):
        if app is not None:
            yield from (app.get_child_at_index(index) for index in range(app.get_child_count()))


def find(what, test, roots=windows):
    """Waits until something passes `test(role, name)`."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        for root in roots():
            for node in below(root) if root is not None else []:
                try:
                    if test(node.get_role_name(), node.get_name() or ''):
                        return node
                except GLib.Error:
                    pass
        time.sleep(0.1)
    dump()
    sys.exit(f'virt-manager does not show {what}')


def dump():
    for root in windows():
        for node in below(root):
            print(node.get_role_name(), repr(node.get_name()), file=sys.stderr)


def do(node, action):
    names = [Atspi.Action.get_action_name(node, index) for index in range(node.get_n_actions())]
    if action not in names:
        sys.exit(f'{node.get_role_name()} {node.get_name()!r} cannot {action}, but {names}')
    Atspi.Action.do_action(node, names.index(action))


def row(name):
    return find(f'a row for {name}', lambda role, text: role == 'table cell' and name in text)


def window(name):
    return find(f'a window of {name}', lambda role, text: role == 'frame' and text.startswith(f'{name} on '))


for name in (container, machine):
    print(f'listed: {row(name).get_name().splitlines()}', flush=True)

Atspi.Component.grab_focus(row(container))
do(find('a way to open it', lambda role, text: role == 'push button' and text == 'Open'), 'click')
opened = window(container)
print(f'opened: {opened.get_name()}', flush=True)


def inside():
    return [opened]


do(find('a switch to the console', lambda role, text: role == 'radio button' and text == 'Console', inside), 'click')
find('a text console', lambda role, text: role == 'terminal', inside)
print('console: a terminal', flush=True)

do(find('a switch to the details', lambda role, text: role == 'radio button' and text == 'Details', inside), 'click')
find('the name among the details', lambda role, text: role == 'table cell' and text == 'Overview', inside)
print('details: Overview', flush=True)

screen = Gdk.get_default_root_window()
Gdk.pixbuf_get_from_window(screen, 0, 0, screen.get_width(), screen.get_height()).savev(screenshot, 'png', [], [])

do(find('a way to shut down', lambda role, text: role == 'push button' and text == 'Shut Down', inside), 'click')
find('that it is off', lambda role, text: role == 'table cell' and text == f'{container}\nShutoff')
print('shut down', flush=True)
