//! ELF images: segments, symbols, build id, code and its instruction classes.

mod address;
mod code;
mod compression;
mod error;
mod file_type;
mod headers;
mod image;
mod isa;
mod kernel_core;
mod name;
mod patch_sites;
mod relocatable;
mod strings;
mod symbol_file;
mod symbols;

pub use address::{FileOffset, Svma};
pub use code::{Code, Instruction, Instructions, TextPoke};
pub use compression::decompress_section;
pub use error::ImageError;
pub use image::{Arch, ExecutableSection, Image, ImageKind, LoadSegment, PSEUDO_PROBE, PSEUDO_PROBE_DESC, Section};
pub use isa::{DecodePolicy, InstructionClass};
pub use kernel_core::{KernelCore, LiveText};
pub use name::{canonical_name, function_of_symbol};
pub use patch_sites::{PatchSites, PatchTableProblem};
pub use relocatable::{LaidOut, LayoutProblem, decompress_file, is_relocatable, lay_out};
pub use symbol_file::SymbolFileProblem;
pub use symbols::{Symbol, TableSymbol};
