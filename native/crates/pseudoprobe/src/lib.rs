//! Pseudo probes: markers that clang's `-fpseudo-probe-for-profiling` sets in each block and call before it optimises. A profile
//! that counts probes instead of lines fits the next build although its lines have moved.
//!
//! Two sections hold them (LLVM: `MCPseudoProbe.h`): `.pseudo_probe_desc` names each function of the source and has the checksum
//! of its control flow graph, see [`Descriptors`]; `.pseudo_probe` says what became of the probes, function by function
//! with a tree of what was inlined, see [`ProbeTable`]. Neither is loaded into memory at run time, and neither has relocations
//! in a linked program: probes are placed relative to each other, from the start of their function, which is found by its symbol.

mod cursor;
mod decode;
mod descriptors;
mod error;
mod probe;
mod table;

pub use decode::{MAX_INLINE_DEPTH, Selection, UnknownStart};
pub use descriptors::{Descriptor, Descriptors};
pub use error::{DecodeError, Problem};
pub use probe::{Guid, InlineNode, NodeId, Probe, ProbeKind};
pub use table::{Callers, ProbeTable};
