//! The classes and the byte order of ELF files that are supported.

use object::LittleEndian;
use object::elf::{FileHeader32, FileHeader64};

/// The header of most files, by which `object` knows their class and byte order. Only these are laid out when they are relocatable.
pub(crate) type Elf = FileHeader64<LittleEndian>;
/// The header of programs for i386 and x32.
pub(crate) type Elf32 = FileHeader32<LittleEndian>;
/// The byte order as a value, for `object`'s accessors.
pub(crate) const ENDIAN: LittleEndian = LittleEndian;
