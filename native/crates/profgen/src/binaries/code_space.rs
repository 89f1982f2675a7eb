//! One space of offsets for the code of several binaries.

use elf::Svma;
use job::{Error, ErrorCode};

/// An offset into the code of all binaries, which lie one behind the other, or one of the values below.
pub(crate) type CodeOffset = u32;

/// Not code of this binary.
pub(crate) const OUTSIDE: CodeOffset = CodeOffset::MAX;
/// Nothing is known of what ran after the newest entry of a stack.
pub(crate) const NO_END: CodeOffset = CodeOffset::MAX - 1;

/// In place of the source of a branch: a sampled address was counted, no branch.
pub(crate) const NO_BRANCH: CodeOffset = CodeOffset::MAX - 2;

/// Number of a binary among those that are counted together.
pub(crate) type TargetIndex = u16;

/// Where in the space each binary begins, and the address in its file that lies there.
#[derive(Debug)]
pub(crate) struct CodeSpace(Vec<(CodeOffset, Svma)>);

impl CodeSpace {
    /// Lays out binaries, each with the lowest address and the span of its code.
    pub(crate) fn new(codes: impl IntoIterator<Item = (Svma, u32)>) -> Result<Self, Error> {
        let mut next = 0;
        let mut starts = Vec::new();
        for (base, span) in codes {
            let (Ok(start), Ok(_)) = (CodeOffset::try_from(next), TargetIndex::try_from(starts.len())) else {
                return Err(too_much_code(next));
            };
            starts.push((start, base));
            next += u64::from(span);
        }
        if next > u64::from(NO_BRANCH) {
            return Err(too_much_code(next));
        }
        Ok(Self(starts))
    }

    /// How many binaries there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Where a binary begins.
    pub(crate) fn start(&self, target: TargetIndex) -> CodeOffset {
        self.0[usize::from(target)].0
    }

    /// The binary that an offset belongs to. Of several that begin there, only the last can have code.
    pub(crate) fn owner(&self, offset: CodeOffset) -> TargetIndex {
        let behind = self.0.partition_point(|(start, _)| *start <= offset);
        TargetIndex::try_from(behind - 1).expect("no more binaries than numbers for them")
    }

    /// The address in the file of its binary that lies at an offset.
    pub(crate) fn svma(&self, target: TargetIndex, offset: CodeOffset) -> Svma {
        let (start, base) = self.0[usize::from(target)];
        base.wrapping_add(u64::from(offset - start))
    }
}

fn too_much_code(span: u64) -> Error {
    let message = format!(
        "the code of the binaries spans {} MiB together, more than the 4095 MiB that one run can count",
        span >> 20
    );
    Error::new(ErrorCode::Unsupported, message).hint("Profile them in several runs.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_offset_has_an_owner() {
        let space = CodeSpace::new([(Svma(0x1000), 8), (Svma(0), 0), (Svma(u64::MAX), 2)]).expect("small");
        assert_eq!(space.len(), 3);
        let found: Vec<_> = [0, 7, 8, 9]
            .map(|offset| {
                let owner = space.owner(offset);
                (owner, space.svma(owner, offset).0)
            })
            .into();
        assert_eq!(found, [(0, 0x1000), (0, 0x1007), (2, u64::MAX), (2, 0)]);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let fits = CodeSpace::new([(Svma(0), NO_BRANCH - 1), (Svma(0), 1)]).expect("fits");
        assert_eq!(fits.owner(NO_BRANCH - 1), 1);
        for spans in [[NO_BRANCH, 1], [u32::MAX, u32::MAX]] {
            let error = CodeSpace::new(spans.map(|span| (Svma(0), span))).expect_err("too much");
            assert_eq!(error.code, ErrorCode::Unsupported);
        }
        let many = vec![(Svma(0), 0); usize::from(TargetIndex::MAX) + 2];
        assert!(CodeSpace::new(many).is_err());
    }
}
