//! Reads DWARF into a function table and a frame table: functions, line rows with discriminators and the inline
//! tree.
//!
//! The tables answer as LLVM's symbolizer does. The compiler can use a profile only if both give a location the
//! same name, so the rules of LLVM's DWARF reader (which unit, which DIE, which row) are part of the result.

mod damage;
mod debug_files;
mod debug_info;
mod diagnostics;
mod elf_file;
mod error;
mod folded;
mod frame_table;
mod function_table;
mod names;
mod options;
mod sections;
mod source_places;
mod split;
mod stripped;
mod survey;
mod symbol_findings;
mod symbol_functions;
mod unit_frames;

pub use damage::{Damage, DamagedUnit};
pub use debug_files::{DebugFileProvider, FileRequest, FileSystem, LocalFiles, OpenedFile, build_id_of};
pub use debug_info::DebugInfo;
pub use diagnostics::{DebugFileSource, DebugFormat, Diagnostic, Rejection};
pub use dwarf::{Fault, Piece, UnitFault, UnitIndex};
pub use error::SymbolizeError;
pub use frame_table::{Frame, FrameId, FrameRange, FrameTable, NameId};
pub use function_table::{DuplicateStart, FunctionRange, FunctionTable};
pub use options::{DebugOptions, FollowLinks};
pub use source_places::SourcePlace;
pub use stripped::add_symbols;
pub use survey::{Compiler, DebugSurvey, SplitUnitCount, UnitCounts};
pub use symbol_findings::{FunctionId, FunctionSymbol, NameOrigin, SymbolConflict, SymbolDifference};
