// A terminal of the container's own, so that programs in it find its name; its master is ours.
#pragma once

namespace covirt {

// In the container, as leader of a session: makes a terminal its standard input, output and error, and sends the
// master through `socket`. False, with errno.
bool TakeTerminal(int socket, unsigned short columns, unsigned short rows);

// On the host: the master, which does not block; -1 where none comes.
int ReceiveTerminal(int socket);

}  // namespace covirt
