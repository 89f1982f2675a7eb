//! Debug files: which one is looked for where, in which order, and who opens it.
//!
//! [`resolver`] knows what a binary needs, [`candidates`] the order of places, and a [`DebugFileProvider`] opens what is asked of it.

mod candidates;
mod file_system;
mod local_files;
mod provider;
mod resolver;

pub use file_system::{FileSystem, build_id_of};
pub use local_files::LocalFiles;
pub use provider::{DebugFileProvider, FileRequest, OpenedFile};
pub(crate) use resolver::{DebugFileResolver, Located};
