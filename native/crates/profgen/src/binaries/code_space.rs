//! A single space of offsets for the code of several binaries.

use elf::Svma;
use job::{Error, ErrorCode};

use crate::binaries::id::BinaryId;

/// An offset into the code of all binaries, which lie one after the other, or one of the constants below.
pub(crate) type CodeOffset = u32;

/// Stands for an address that is not in the code of this binary.
pub(crate) const OUTSIDE: CodeOffset = CodeOffset::MAX;
/// Stands for the end of the run after the newest entry of a stack, which is not known.
pub(crate) const NO_END: CodeOffset = CodeOffset::MAX - 1;

/// Stands for the source of a branch where a sampled address was counted instead of a branch.
pub(crate) const NO_BRANCH: CodeOffset = CodeOffset::MAX - 2;
/// Stands for the end of a run that goes on to the next instruction that can branch.
pub(crate) const NEXT_BRANCH: CodeOffset = CodeOffset::MAX - 3;
/// Stands for the source of a branch where only the run of an entry counts here. The entry itself is counted
/// elsewhere.
pub(crate) const RUN_ONLY: CodeOffset = CodeOffset::MAX - 4;
/// Stands for the call before a return address if there is no call before it.
pub(crate) const NO_CALL: CodeOffset = CodeOffset::MAX - 5;

/// The regions of the binaries in the space, in ascending order.
#[derive(Debug)]
pub(crate) struct CodeSpace(Vec<Region>);

/// The code of one binary in the space.
#[derive(Debug)]
pub(crate) struct Region {
    pub binary: BinaryId,
    /// Offset at which the region begins.
    pub start: CodeOffset,
    /// Address in the file that lies at this offset.
    base: Svma,
}

impl CodeSpace {
    /// Lays out binaries one after the other. Each is given with the lowest address and the span of its
    /// code, in bytes.
    pub(crate) fn new(codes: impl IntoIterator<Item = (BinaryId, Svma, u32)>) -> Result<Self, Error> {
        let mut next = 0;
        let mut regions = Vec::new();
        for (binary, base, span) in codes {
            let start = CodeOffset::try_from(next).map_err(|_| too_much_code(next))?;
            regions.push(Region { binary, start, base });
            next += u64::from(span);
        }
        if next > u64::from(NO_CALL) {
            return Err(too_much_code(next));
        }
        Ok(Self(regions))
    }

    /// Returns the regions of the binaries.
    pub(crate) fn regions(&self) -> impl Iterator<Item = &Region> {
        self.0.iter()
    }

    /// Returns the region that an offset belongs to. If several regions begin there, all but the last are
    /// empty.
    pub(crate) fn owner(&self, offset: CodeOffset) -> &Region {
        let behind = self.0.partition_point(|region| region.start <= offset);
        &self.0[behind - 1]
    }
}

impl Region {
    /// Returns the address, in the file of its binary, of an offset of the space.
    pub(crate) fn svma(&self, offset: CodeOffset) -> Svma {
        self.base.wrapping_add(u64::from(offset - self.start))
    }

    /// Returns the offset in the space of an address in the code of the binary.
    pub(crate) fn offset(&self, svma: Svma) -> CodeOffset {
        self.start + svma.0.wrapping_sub(self.base.0) as u32
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

    const FIRST: BinaryId = BinaryId::of(7);
    const EMPTY: BinaryId = BinaryId::of(2);
    const LAST: BinaryId = BinaryId::of(4);

    #[test]
    fn every_offset_has_an_owner() {
        let space =
            CodeSpace::new([(FIRST, Svma(0x1000), 8), (EMPTY, Svma(0), 0), (LAST, Svma(u64::MAX), 2)]).expect("small");
        let binaries: Vec<_> = space.regions().map(|region| region.binary).collect();
        assert_eq!(binaries, [FIRST, EMPTY, LAST]);
        let found = [0, 7, 8, 9].map(|offset| {
            let owner = space.owner(offset);
            (owner.binary, owner.svma(offset).0)
        });
        assert_eq!(found, [(FIRST, 0x1000), (FIRST, 0x1007), (LAST, u64::MAX), (LAST, 0)]);
    }

    #[test]
    fn code_that_does_not_fit_into_the_space_is_refused() {
        let fits = CodeSpace::new([(FIRST, Svma(0), NO_CALL - 1), (LAST, Svma(0), 1)]).expect("fits");
        assert_eq!(fits.owner(NO_CALL - 1).binary, LAST);
        for [first, last] in [[NO_CALL, 1], [u32::MAX, u32::MAX]] {
            let error = CodeSpace::new([(FIRST, Svma(0), first), (LAST, Svma(0), last)]).expect_err("too much");
            assert_eq!(error.code, ErrorCode::Unsupported);
        }
    }
}
