//! The ELF classes and the byte order that are supported.

use object::LittleEndian;
use object::elf::{FileHeader32, FileHeader64};

/// The file header of the 64-bit class. `object` derives class and byte order from this type. Relocatable files are
/// laid out only if they are of this class.
pub(crate) type Elf = FileHeader64<LittleEndian>;
/// The file header of the 32-bit class, as in programs for i386 and x32.
pub(crate) type Elf32 = FileHeader32<LittleEndian>;
/// The byte order as a value, which the accessors of `object` take.
pub(crate) const ENDIAN: LittleEndian = LittleEndian;
