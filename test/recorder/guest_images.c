#include "guest_images.h"

#include <elf.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Page size. Both recorded architectures have 4 KiB pages under qemu. */
static const uint64_t page = 4096;

struct interval {
	uint64_t start, end;
};

static struct interval *known;
static size_t known_count;

bool guest_address_known(uint64_t address)
{
	for (size_t i = 0; i < known_count; i++)
		if (address >= known[i].start && address < known[i].end)
			return true;
	return false;
}

static void remember(uint64_t start, uint64_t end)
{
	known = realloc(known, (known_count + 1) * sizeof *known);
	known[known_count++] = (struct interval){ start, end };
}

static Elf64_Phdr *read_program_headers(FILE *elf, size_t *count)
{
	Elf64_Ehdr header;
	*count = 0;
	if (fread(&header, sizeof header, 1, elf) != 1 || memcmp(header.e_ident, ELFMAG, SELFMAG) ||
		header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_phentsize != sizeof(Elf64_Phdr))
		return NULL;
	Elf64_Phdr *segments = calloc(header.e_phnum, sizeof *segments);
	if (fseek(elf, (long)header.e_phoff, SEEK_SET) == 0)
		*count = fread(segments, sizeof *segments, header.e_phnum, elf);
	return segments;
}

/* Searches the notes in the `size` bytes at `at` for a build id. */
static unsigned read_build_id_note(FILE *elf, uint64_t at, uint64_t size, uint8_t id[BUILD_ID_MAX])
{
	Elf64_Nhdr note;
	char name[4];
	uint64_t end = at + size;
	while (at + sizeof note <= end && fseek(elf, (long)at, SEEK_SET) == 0 && fread(&note, sizeof note, 1, elf) == 1) {
		uint64_t name_size = (note.n_namesz + 3u) & ~3u;
		if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && note.n_descsz <= BUILD_ID_MAX &&
			fread(name, 4, 1, elf) == 1 && !memcmp(name, "GNU", 4))
			return fread(id, 1, note.n_descsz, elf) == note.n_descsz ? note.n_descsz : 0;
		at += sizeof note + name_size + ((note.n_descsz + 3u) & ~3u);
	}
	return 0;
}

static unsigned find_build_id(FILE *elf, const Elf64_Phdr *segments, size_t count, uint8_t id[BUILD_ID_MAX])
{
	unsigned size = 0;
	for (size_t i = 0; i < count && !size; i++)
		if (segments[i].p_type == PT_NOTE)
			size = read_build_id_note(elf, segments[i].p_offset, segments[i].p_filesz, id);
	return size;
}

/* Searches the sections for a build id, because a kernel module has no program headers. */
static unsigned find_build_id_in_sections(FILE *elf, uint8_t id[BUILD_ID_MAX])
{
	Elf64_Ehdr header;
	Elf64_Shdr section;
	unsigned size = 0;
	rewind(elf);
	if (fread(&header, sizeof header, 1, elf) != 1 || header.e_shentsize != sizeof section)
		return 0;
	for (unsigned i = 0; i < header.e_shnum && !size; i++)
		if (fseek(elf, (long)(header.e_shoff + i * sizeof section), SEEK_SET) == 0 &&
			fread(&section, sizeof section, 1, elf) == 1 && section.sh_type == SHT_NOTE)
			size = read_build_id_note(elf, section.sh_offset, section.sh_size, id);
	return size;
}

unsigned elf_build_id(const char *path, uint8_t id[BUILD_ID_MAX])
{
	FILE *elf = fopen(path, "rb");
	if (!elf)
		return 0;
	size_t count;
	Elf64_Phdr *segments = read_program_headers(elf, &count);
	unsigned size = find_build_id(elf, segments, count, id);
	if (!count)
		size = find_build_id_in_sections(elf, id);
	free(segments);
	fclose(elf);
	return size;
}

/*
 * Finds the line of /proc/self/maps that contains `address`. Addresses of a 64-bit guest equal those of the host.
 */
static bool host_mapping(uint64_t address, struct image_mapping *m, char path[4096])
{
	FILE *maps = fopen("/proc/self/maps", "r");
	char line[4400];
	bool found = false;
	while (maps && !found && fgets(line, sizeof line, maps)) {
		uint64_t end;
		path[0] = 0;
		sscanf(line, "%" SCNx64 "-%" SCNx64 " %*s %" SCNx64 " %*s %*s %4095[^\n]", &m->start, &end,
			&m->file_offset, path);
		m->length = end - m->start;
		found = address >= m->start && address < end;
	}
	if (maps)
		fclose(maps);
	return found;
}

/*
 * Visits the segments of a mapping. A line of the host may span several segments, because qemu maps guest code
 * without execute permission, so neighbours merge. The program headers tell the segments apart.
 */
static bool visit_segments(struct image_mapping m, uint64_t address, mapping_visitor visit)
{
	FILE *elf = m.path[0] == '/' ? fopen(m.path, "rb") : NULL;
	if (!elf)
		return false;
	size_t count;
	Elf64_Phdr *segments = read_program_headers(elf, &count);
	uint64_t in_file = address - m.start + m.file_offset;
	bool found = false;
	for (size_t i = 0; i < count && !found; i++) {
		const Elf64_Phdr *s = &segments[i];
		found = s->p_type == PT_LOAD && s->p_flags & PF_X && in_file >= s->p_offset &&
			in_file - s->p_offset < s->p_filesz;
		m.bias = address - in_file + s->p_offset - s->p_vaddr;
	}
	if (found)
		m.build_id_size = find_build_id(elf, segments, count, m.build_id);
	for (size_t i = 0; i < count && found; i++) {
		const Elf64_Phdr *s = &segments[i];
		if (s->p_type != PT_LOAD || !(s->p_flags & PF_X))
			continue;
		uint64_t lead = s->p_vaddr % page;
		m.start = m.bias + s->p_vaddr - lead;
		m.file_offset = s->p_offset - lead;
		m.length = (lead + s->p_filesz + page - 1) / page * page;
		remember(m.start, m.start + m.length);
		visit(&m);
	}
	free(segments);
	fclose(elf);
	return found;
}

void guest_discover_image(uint64_t address, mapping_visitor visit)
{
	struct image_mapping m = { 0 };
	char path[4096];
	m.path = path;
	if (!host_mapping(address, &m, path) || visit_segments(m, address, visit))
		return;
	m.path = "//anon";
	m.file_offset = m.start; /* the kernel reports anonymous memory in this way */
	remember(m.start, m.start + m.length);
	visit(&m);
}
