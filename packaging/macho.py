"""macho.py FILE: prints what check-addon.mjs judges of a Mach-O file, as JSON. LIEF reads the file."""

import hashlib
import json
import struct
import sys
from operator import attrgetter

import lief

# Numbers from <mach-o/loader.h> and from xnu's <kern/cs_blobs.h>.
FLAT_LOOKUP_ORDINALS = (-2, 0xFE)
EMBEDDED_SIGNATURE = 0xFADE0CC0
CODE_DIRECTORY = 0xFADE0C02
SHA256 = 2
OWN_NAME = lief.MachO.LoadCommand.TYPE.ID_DYLIB


def signature_problem(binary, data):
    """Why the signature does not hold: macOS ends a process on Arm that loads such a file. None if it holds."""
    if not binary.has_code_signature:
        return "it is not signed"
    command = binary.code_signature
    blob = data[command.data_offset : command.data_offset + command.data_size]
    magic, _, count = struct.unpack_from(">III", blob)
    if magic != EMBEDDED_SIGNATURE:
        return "its signature cannot be read"
    for index in range(count):
        _, start = struct.unpack_from(">II", blob, 12 + 8 * index)
        directory = blob[start:]
        if struct.unpack_from(">I", directory)[0] == CODE_DIRECTORY:
            return directory_problem(directory, data[: command.data_offset])
    return "its signature has no list of hashes"


def directory_problem(directory, code):
    hashes, _, _, pages, limit, size, kind, _, page_log2 = struct.unpack_from(">IIIIIBBBB", directory, 16)
    if kind != SHA256 or limit != len(code):
        return "its signature is for other bytes"
    for page in range(pages):
        digest = hashlib.sha256(code[page << page_log2 : min((page + 1) << page_log2, limit)]).digest()
        if directory[hashes + page * size : hashes + (page + 1) * size] != digest:
            return f"its signature is not that of page {page}"
    return None if pages == -(-limit >> page_log2) else "its signature does not cover the file"


def oldest_system(binary):
    """Platform and version that the file says it needs at least."""
    if binary.has_build_version:
        return binary.build_version.platform.name, binary.build_version.minos
    return "MACOS", binary.version_min.version


def flat_lookups(binary):
    """The symbols that the dynamic linker looks for in all that the process has loaded, not in one library."""
    ordinal = attrgetter("library_ordinal")
    bindings = (binding for binding in binary.bindings if binding.has_symbol)
    return sorted({binding.symbol.name for binding in bindings if ordinal(binding) in FLAT_LOOKUP_ORDINALS})


lief.logging.disable()
with open(sys.argv[1], "rb") as file:
    contents = file.read()
binary = lief.MachO.parse(sys.argv[1]).at(0)
platform, version = oldest_system(binary)
facts = {
    "cpu": binary.header.cpu_type.name,
    "platform": platform,
    "version": ".".join(map(str, version)),
    "libraries": [library.name for library in binary.libraries if library.command != OWN_NAME],
    "lookups": flat_lookups(binary),
    "signature": signature_problem(binary, contents),
}
print(json.dumps(facts))
