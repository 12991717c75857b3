// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Maps whose values, or keys, are kernel objects.
#pragma once

#include "map_handle.h"

// Values are programs, maps, perf events, cgroups, sockets, devices or CPUs; or the key is what something belongs to.
bool wb_map_has_objects(enum bpf_map_type type);
bool wb_map_is_storage(enum bpf_map_type type);

int wb_map_update_object(const struct wb_map *map, const void *key, const void *value, wasm_bpf_bpf_maps_update_mode_t mode);
int wb_map_lookup_object(const struct wb_map *map, const void *key, void *value);
int wb_map_delete_storage(const struct wb_map *map, const void *key);
