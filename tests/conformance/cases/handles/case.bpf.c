// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// Something of each kind.
#include "calls.h"
