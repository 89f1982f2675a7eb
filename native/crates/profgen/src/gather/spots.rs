//! Locates a run-time address in a mapped file.

use perfdata::{AddressSpaces, Avma, Moment, Period};
use traceshard::{BinaryKind, KERNEL_BIAS, Loss};

use crate::gather::files::{FileId, Followed, Held};

/// The place of a run-time address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spot {
    In((FileId, BinaryKind), u64),
    /// The address lies in no file that has rows. The loss tells why.
    Elsewhere(Loss),
}

/// Lowest address of the kernel's half of the address space.
const UPPER_HALF: u64 = 1 << 63;

#[derive(Debug, Clone, Copy)]
struct Piece {
    start: u64,
    last: u64,
    held: Held,
}

/// An address space during a period without changes: disjoint pieces, in ascending order.
#[derive(Debug)]
pub(crate) struct Spots {
    pieces: Vec<Piece>,
    /// Indices of the piece that was hit last, and of another piece that was hit before.
    hot: [usize; 2],
}

impl Spots {
    /// Returns the address space of `pid` at `moment`, and the period for which it stays the same.
    pub(crate) fn new(followed: &Followed, pid: i32, moment: Moment) -> (Self, Period) {
        let Followed { spaces, held, .. } = followed;
        let space = spaces.space(pid, moment);
        let kernel = kernel_of(spaces, held);
        let mut pieces = Vec::new();
        for range in space.ranges().into_iter().chain(spaces.modules()) {
            let Some(mut last) = range.end.0.checked_sub(1) else {
                continue;
            };
            if let Some((start, _)) = kernel
                && (range.start.0..=last).contains(&start)
                && start > 0
            {
                // In recordings of older perf versions, the last module reaches to the end of memory, across
                // the kernel.
                last = start - 1;
            }
            if range.start.0 <= last {
                pieces.push(Piece {
                    start: range.start.0,
                    last,
                    held: held.get(range.map.0 as usize).copied().unwrap_or(Held::Other),
                });
            }
        }
        pieces.sort_unstable_by_key(|piece| piece.start);
        let gaps = match (kernel, spaces.kernel_image()) {
            (Some((_, held)), _) => kernel_gaps(&pieces, held),
            (None, Some(_)) => kernel_gaps(&pieces, Held::Other),
            (None, None) => Vec::new(),
        };
        pieces.extend(gaps);
        pieces.sort_unstable_by_key(|piece| piece.start);
        let spots = Self { pieces, hot: [0; 2] };
        (spots, space.period())
    }

    /// Returns the place of an address.
    #[inline]
    pub(crate) fn find(&mut self, address: Avma) -> Spot {
        let address = address.0;
        let contains = |piece: &Piece| address.wrapping_sub(piece.start) <= piece.last - piece.start;
        for hot in self.hot {
            if let Some(piece) = self.pieces.get(hot).filter(|piece| contains(piece)) {
                return spot_in(piece.held, address);
            }
        }
        let behind = self.pieces.partition_point(|piece| piece.start <= address);
        match behind.checked_sub(1).filter(|&index| contains(&self.pieces[index])) {
            Some(index) => {
                self.hot = [index, self.hot[0]];
                spot_in(self.pieces[index].held, address)
            }
            None => Spot::Elsewhere(Loss::Unmapped),
        }
    }
}

#[inline]
fn spot_in(held: Held, address: u64) -> Spot {
    match held {
        Held::File {
            file,
            kind,
            delta,
            span,
        } => {
            let offset = address.wrapping_add(delta);
            if offset < span {
                Spot::In((file, kind), offset)
            } else {
                Spot::Elsewhere(Loss::Unmapped)
            }
        }
        Held::Other => Spot::Elsewhere(Loss::OtherMemory),
    }
}

/// Returns the address of the symbol that the kernel's mapping names, and what the mapping holds; `None` if
/// no kernel with a known file is mapped.
fn kernel_of(spaces: &AddressSpaces, held: &[Held]) -> Option<(u64, Held)> {
    let map = spaces.kernel_image()?;
    match held.get(map.0 as usize)? {
        held @ Held::File { delta, .. } => Some((KERNEL_BIAS.wrapping_sub(*delta), *held)),
        Held::Other => None,
    }
}

/// Returns the parts of the kernel's half of the address space that no module covers.
fn kernel_gaps(pieces: &[Piece], held: Held) -> Vec<Piece> {
    let mut gaps = Vec::new();
    let mut next = Some(UPPER_HALF);
    for piece in pieces.iter().filter(|piece| piece.last >= UPPER_HALF) {
        if let Some(start) = next.filter(|start| *start < piece.start) {
            gaps.push(Piece {
                start,
                last: piece.start - 1,
                held,
            });
        }
        next = next.and_then(|start| Some(start.max(piece.last.checked_add(1)?)));
    }
    gaps.extend(next.map(|start| Piece {
        start,
        last: u64::MAX,
        held,
    }));
    gaps
}
