//! Reads pseudo probes: markers that clang's `-fpseudo-probe-for-profiling` inserts into each block and at each
//! call before it optimises. A profile that counts probes instead of lines fits the next build even if the lines of
//! the source have moved.
//!
//! Two sections have the probes (LLVM: `MCPseudoProbe.h`). `.pseudo_probe_desc` has the name of each function of
//! the source and the checksum of its control flow graph, see [`Descriptors`]. `.pseudo_probe` has the addresses of
//! the probes, function by function, with a tree of inlined functions, see [`ProbeTable`]. Neither section is
//! loaded into memory at run time, and neither has relocations in a linked program: the addresses of probes count
//! from each other and from the start of their function, which is the address of its symbol.

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
