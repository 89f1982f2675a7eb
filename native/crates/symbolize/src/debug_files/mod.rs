//! Finds debug files: which file is looked for at which place, in which order, and who opens it.
//!
//! [`resolver`] knows which files a binary needs, [`candidates`] knows the order of the places, and a
//! [`DebugFileProvider`] opens the files.

mod candidates;
mod file_system;
mod local_files;
mod provider;
mod resolver;

pub use file_system::{FileSystem, build_id_of};
pub use local_files::LocalFiles;
pub use provider::{DebugFileProvider, FileRequest, OpenedFile};
pub(crate) use resolver::{DebugFileResolver, Located};
