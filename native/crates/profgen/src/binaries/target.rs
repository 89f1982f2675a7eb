//! The binaries to profile.

use std::ops::Index;
use std::sync::Arc;

use elf::{Code, Image};
use job::Error;

use crate::binaries::code_space::{CodeOffset, CodeSpace, TargetIndex};

/// A binary and its code.
pub(crate) struct Target<'a> {
    pub image: &'a Arc<Image>,
    pub code: Code<'a>,
    /// A vmlinux: found by the kernel's own mapping, not by a file name.
    pub kernel: bool,
    /// Where its code begins in the space of all code.
    start: CodeOffset,
    index: TargetIndex,
}

impl<'a> Target<'a> {
    /// A target that stands alone.
    pub(crate) fn new(image: &'a Arc<Image>, code: Code<'a>, kernel: bool) -> Self {
        Self {
            image,
            code,
            kernel,
            start: 0,
            index: 0,
        }
    }

    /// The last component of the binary's path, which is what mappings are compared with.
    pub(crate) fn name(&self) -> &str {
        file_name(self.image.path().to_str().unwrap_or_default())
    }

    /// Its number among the targets that it is counted with.
    pub(crate) fn index(&self) -> TargetIndex {
        self.index
    }

    /// Where in the space of all code an offset into its own code lies.
    #[inline]
    pub(crate) fn shared_offset(&self, own: u32) -> CodeOffset {
        self.start + own
    }
}

/// Targets that are counted together.
pub(crate) struct Targets<'a> {
    targets: Vec<Target<'a>>,
    space: CodeSpace,
}

impl<'a> Targets<'a> {
    /// Puts the code of `targets` into one space.
    pub(crate) fn new(mut targets: Vec<Target<'a>>) -> Result<Self, Error> {
        let space = CodeSpace::new(targets.iter().map(|target| (target.code.base(), target.code.span())))?;
        for (target, index) in targets.iter_mut().zip(0..) {
            (target.index, target.start) = (index, space.start(index));
        }
        Ok(Self { targets, space })
    }

    pub(crate) fn len(&self) -> usize {
        self.targets.len()
    }

    pub(crate) fn iter(&self) -> std::slice::Iter<'_, Target<'a>> {
        self.targets.iter()
    }

    pub(crate) fn space(&self) -> &CodeSpace {
        &self.space
    }
}

impl<'a> Index<TargetIndex> for Targets<'a> {
    type Output = Target<'a>;
    fn index(&self, index: TargetIndex) -> &Target<'a> {
        &self.targets[usize::from(index)]
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
