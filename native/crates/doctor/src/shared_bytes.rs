//! The bytes of an image for those that keep them.

use std::sync::Arc;

use elf::Image;

/// The image's bytes, for whoever reads its debug information.
pub(crate) struct SharedBytes(pub(crate) Arc<Image>);

impl AsRef<[u8]> for SharedBytes {
    fn as_ref(&self) -> &[u8] {
        self.0.data()
    }
}
