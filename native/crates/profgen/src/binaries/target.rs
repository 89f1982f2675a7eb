//! The binaries to profile.

use std::ops::Index;
use std::sync::Arc;

use elf::{Code, Image, ImageKind};
use job::Error;

use crate::binaries::code_space::{CodeOffset, CodeSpace};
use crate::binaries::id::{BinaryId, ByBinary, places};

/// The part of the memory that code runs in. Call chains have frames of each side, or leave a side out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// The kernel and its modules.
    Kernel,
    User,
}

/// A value for each side.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct BySide<T> {
    pub kernel: T,
    pub user: T,
}

impl<T> BySide<T> {
    pub(crate) fn of(&self, side: Side) -> &T {
        match side {
            Side::Kernel => &self.kernel,
            Side::User => &self.user,
        }
    }

    pub(crate) fn of_mut(&mut self, side: Side) -> &mut T {
        match side {
            Side::Kernel => &mut self.kernel,
            Side::User => &mut self.user,
        }
    }

    /// Returns the values of both sides.
    pub(crate) fn each(&self) -> [&T; 2] {
        [&self.kernel, &self.user]
    }

    /// Returns what `make` returns for the values of both sides.
    pub(crate) fn map<U>(self, mut make: impl FnMut(Side, T) -> U) -> BySide<U> {
        BySide {
            kernel: make(Side::Kernel, self.kernel),
            user: make(Side::User, self.user),
        }
    }
}

/// A binary and its code.
pub(crate) struct Target<'a> {
    pub id: BinaryId,
    pub image: &'a Arc<Image>,
    pub code: Code<'a>,
    /// True for a vmlinux. The kernel's own mapping identifies it, not a file name.
    pub kernel: bool,
    /// Offset of its code in the space of all code.
    start: CodeOffset,
}

impl<'a> Target<'a> {
    /// Makes a target that is not yet in a space.
    pub(crate) fn new(id: BinaryId, image: &'a Arc<Image>, code: Code<'a>, kernel: bool) -> Self {
        Self {
            id,
            image,
            code,
            kernel,
            start: 0,
        }
    }

    pub(crate) fn side(&self) -> Side {
        if self.kernel || self.image.kind() == ImageKind::Module {
            Side::Kernel
        } else {
            Side::User
        }
    }

    /// Returns the last component of the binary's path. Names of mappings are compared with it.
    pub(crate) fn name(&self) -> &str {
        file_name(self.image.path().to_str().unwrap_or_default())
    }

    /// Returns the offset in the space of all code of an offset into the target's own code.
    #[inline]
    pub(crate) fn shared_offset(&self, own: u32) -> CodeOffset {
        self.start + own
    }
}

/// Targets that are counted together. There is at least one.
pub(crate) struct Targets<'a> {
    targets: ByBinary<Target<'a>>,
    space: CodeSpace,
}

impl<'a> Targets<'a> {
    /// Lays out the code of `targets` in one space.
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

    /// Returns the number of places of a list that [`BinaryId::index`] indexes for these targets.
    pub(crate) fn places(&self) -> usize {
        places(&self.targets)
    }

    /// Returns the targets, by id.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Target<'a>> {
        self.targets.values()
    }

    /// Returns the first target. In llvm-profgen's mode it is the only one.
    pub(crate) fn first(&self) -> &Target<'a> {
        self.iter().next().expect("a group has at least one target")
    }

    /// Returns true for each side that a target is on.
    pub(crate) fn sides(&self) -> BySide<bool> {
        let has = |side| self.iter().any(|target| target.side() == side);
        BySide {
            kernel: has(Side::Kernel),
            user: has(Side::User),
        }
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

/// Returns a path as perf records it, without the mark that the kernel puts after the name of a deleted
/// file. Old kernels have another mark.
pub(crate) fn undeleted(path: &str) -> &str {
    let marks = [" (deleted)", "//deleted"];
    marks.iter().find_map(|mark| path.strip_suffix(mark)).unwrap_or(path)
}

/// Returns the last component of a path as perf records it.
pub(crate) fn file_name(path: &str) -> &str {
    let path = undeleted(path);
    path.rsplit('/').next().unwrap_or(path)
}
