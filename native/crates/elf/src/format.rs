//! The one class and byte order of ELF files that are supported.

use object::LittleEndian;
use object::elf::FileHeader64;

/// The header of such a file, by which `object` knows its class and byte order.
pub(crate) type Elf = FileHeader64<LittleEndian>;
/// The byte order as a value, for `object`'s accessors.
pub(crate) const ENDIAN: LittleEndian = LittleEndian;
