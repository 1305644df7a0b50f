// What a network link has within the network namespace that we are in.
#pragma once

#include "program/link-words.h"

namespace covirt {

// 0, with errno, where there is none of this name.
unsigned LinkIndex(const char *name);

bool SetLinkUp(unsigned index, bool up);

// Up, with addresses and gateways, as its words say.
bool ConfigureLink(const Words &words);

}  // namespace covirt
