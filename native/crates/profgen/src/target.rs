//! A binary to profile.

use image::{Code, Image};

/// A binary and its code.
pub(crate) struct Target<'a> {
    pub image: &'a Image,
    pub code: Code<'a>,
    /// A vmlinux: found by the kernel's own mapping, not by a file name.
    pub kernel: bool,
}

impl Target<'_> {
    /// The last component of the binary's path, which is what mappings are compared with.
    pub(crate) fn name(&self) -> &str {
        file_name(self.image.path().to_str().unwrap_or_default())
    }
}

/// The last component of a path as perf records it, without the mark of a deleted file.
pub(crate) fn file_name(path: &str) -> &str {
    let path = path.strip_suffix(" (deleted)").unwrap_or(path);
    path.rsplit('/').next().unwrap_or(path)
}
