//! Reads ELF images: segments, symbols, build id, code and the classes of its instructions.

mod address;
mod code;
mod code_layout;
mod compression;
mod error;
mod file;
mod file_type;
mod format;
mod headers;
mod image;
mod isa;
mod jump_table;
mod kernel_core;
mod kind;
mod name;
mod patch_sites;
mod relocatable;
mod strings;
mod symbol;

pub use address::{FileOffset, Svma};
pub use code::{Code, Instruction, Instructions, TextPoke};
pub use compression::decompress_section;
pub use error::ImageError;
pub use file::{FileBytes, FileData, map_file};
pub use headers::LoadSegment;
pub use image::{
    ExecutableSection, Image, PSEUDO_PROBE, PSEUDO_PROBE_DESC, Section, SectionExtent, Slot, SymbolFileProblem,
};
pub use isa::{DecodePolicy, InstructionClass};
pub use jump_table::jump_targets;
pub use kernel_core::{KernelCore, LiveText};
pub use kind::{Arch, ImageKind};
pub use name::{canonical_name, function_of_symbol};
pub use patch_sites::{PatchSites, PatchTableProblem};
pub use relocatable::{LaidOut, LayoutProblem, decompress_file, is_relocatable, lay_out};
pub use symbol::{Symbol, SymbolKind, TableSymbol};
