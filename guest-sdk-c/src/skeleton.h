// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What skeletons of objects and of parts of them share: an object's maps and programs, found by their names. -ESRCH if one is not there.
#pragma once

#include "object.h"

int wb_skeleton_maps(const struct bpf_object *object, void *maps, int size, int count);
int wb_skeleton_programs(const struct bpf_object *object, void *programs, int size, int count);
