//! The binaries to profile.

use std::ops::Index;
use std::sync::Arc;

use elf::{Code, Image};
use job::Error;

use crate::binaries::code_space::{CodeOffset, CodeSpace};
use crate::binaries::id::{BinaryId, ByBinary, places};

/// A binary and its code.
pub(crate) struct Target<'a> {
    pub id: BinaryId,
    pub image: &'a Arc<Image>,
    pub code: Code<'a>,
    /// A vmlinux: found by the kernel's own mapping, not by a file name.
    pub kernel: bool,
    /// Where its code begins in the space of all code.
    start: CodeOffset,
}

impl<'a> Target<'a> {
    /// A target that is in no space yet.
    pub(crate) fn new(id: BinaryId, image: &'a Arc<Image>, code: Code<'a>, kernel: bool) -> Self {
        Self {
            id,
            image,
            code,
            kernel,
            start: 0,
        }
    }

    /// The last component of the binary's path, which is what mappings are compared with.
    pub(crate) fn name(&self) -> &str {
        file_name(self.image.path().to_str().unwrap_or_default())
    }

    /// Where in the space of all code an offset into its own code lies.
    #[inline]
    pub(crate) fn shared_offset(&self, own: u32) -> CodeOffset {
        self.start + own
    }
}

/// Targets that are counted together; at least one.
pub(crate) struct Targets<'a> {
    targets: ByBinary<Target<'a>>,
    space: CodeSpace,
}

impl<'a> Targets<'a> {
    /// Puts the code of `targets` into one space.
    pub(crate) fn new(targets: impl IntoIterator<Item = Target<'a>>) -> Result<Self, Error> {
        let mut targets: ByBinary<Target<'a>> = targets.into_iter().map(|target| (target.id, target)).collect();
        let codes = targets
            .values()
            .map(|target| (target.id, target.code.base(), target.code.span()));
        let space = CodeSpace::new(codes)?;
        for region in space.regions() {
            if let Some(target) = targets.get_mut(&region.binary) {
                target.start = region.start;
            }
        }
        Ok(Self { targets, space })
    }

    pub(crate) fn len(&self) -> usize {
        self.targets.len()
    }

    /// Places for what is remembered of each target, by [`BinaryId::index`].
    pub(crate) fn places(&self) -> usize {
        places(&self.targets)
    }

    /// By id.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Target<'a>> {
        self.targets.values()
    }

    /// The first target. As llvm-profgen counts them, it is the only one.
    pub(crate) fn first(&self) -> &Target<'a> {
        self.iter().next().expect("a group has at least one target")
    }

    pub(crate) fn space(&self) -> &CodeSpace {
        &self.space
    }
}

impl<'a> Index<BinaryId> for Targets<'a> {
    type Output = Target<'a>;
    fn index(&self, id: BinaryId) -> &Target<'a> {
        &self.targets[&id]
    }
}

/// A path as perf records it, without the kernel's mark of a deleted file; old kernels have another mark.
pub(crate) fn undeleted(path: &str) -> &str {
    let marks = [" (deleted)", "//deleted"];
    marks.iter().find_map(|mark| path.strip_suffix(mark)).unwrap_or(path)
}

/// The last component of a path as perf records it.
pub(crate) fn file_name(path: &str) -> &str {
    let path = undeleted(path);
    path.rsplit('/').next().unwrap_or(path)
}
