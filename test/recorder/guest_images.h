/* Which ELF images an emulated program has mapped executable, and where. */
#ifndef GUEST_IMAGES_H
#define GUEST_IMAGES_H

#include "perf_file.h"

typedef void (*mapping_visitor)(const struct image_mapping *mapping);

/* True if `address` lies in a mapping that was already visited. */
bool guest_address_known(uint64_t address);
/*
 * Finds the image that holds the code at `address` and visits each of its executable
 * segments as the kernel would have reported them. Code of no file becomes "//anon".
 */
void guest_discover_image(uint64_t address, mapping_visitor visit);
/* Reads the GNU build id of an ELF file; returns its size, 0 if there is none. */
unsigned elf_build_id(const char *path, uint8_t id[BUILD_ID_MAX]);

#endif
