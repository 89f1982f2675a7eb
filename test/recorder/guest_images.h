/* Finds the ELF images that an emulated program has mapped executable, and their addresses. */
#ifndef GUEST_IMAGES_H
#define GUEST_IMAGES_H

#include "perf_file.h"

typedef void (*mapping_visitor)(const struct image_mapping *mapping);

/* True if `address` lies in a mapping that was visited before. */
bool guest_address_known(uint64_t address);
/*
 * Finds the image with the code at `address`, and visits each of its executable segments as the kernel would report
 * it. Code without a file gets the name "//anon".
 */
void guest_discover_image(uint64_t address, mapping_visitor visit);
/* Reads the GNU build id of an ELF file. Returns its size in bytes, or 0 if the file has none. */
unsigned elf_build_id(const char *path, uint8_t id[BUILD_ID_MAX]);

#endif
