//! Counts that are in no slot any more, and what a new slot gets.

use perfdata::Avma;
use traceshard::{BinaryKind, Ends, Loss};

use crate::gather::chain::TailId;
use crate::gather::entry::{Entry, NO_NEXT, crosses_kernel};
use crate::gather::files::{FileId, NO_FILE};
use crate::gather::latest::Latest;
use crate::gather::row_table::RowTable;
use crate::gather::rows::{CountedRow, Key, Tally};
use crate::gather::slots::{EMPTY, Known, NO_SIDE, Side, Slot, SmallCounts};
use crate::gather::spots::{Spot, Spots};

/// Counts that are in no slot any more.
#[derive(Default)]
pub(crate) struct Sums {
    pub rows: RowTable,
    pub tally: Tally,
}

impl Sums {
    /// Puts a branch that is in no slot into this slot. The state after the branch is not known yet.
    pub(crate) fn replace(
        &mut self,
        entry: Entry,
        (slot, known): (&mut Slot, &mut Known),
        latest: &mut Latest,
        spots: &mut Spots,
    ) {
        self.settle(slot, known);
        let Entry { branch, next, of } = entry;
        let one = |side| (None, [side, NO_SIDE]);
        let lost = |what| (Some(what), [NO_SIDE; 2]);
        let (loss, sides) = if branch.from.0 | branch.to.0 == 0 {
            lost(Loss::UnfilledSlot)
        } else {
            match (spots.find(branch.from), spots.find(branch.to)) {
                (Spot::In(file, from), Spot::In(other, to)) if file != other => (
                    None,
                    [
                        self.touch(entry, file, (Some(from), None), latest, spots),
                        self.touch(entry, other, (None, Some(to)), latest, spots),
                    ],
                ),
                (Spot::In(file, from), Spot::In(_, to)) => {
                    one(self.touch(entry, file, (Some(from), Some(to)), latest, spots))
                }
                (Spot::In(file, from), Spot::Elsewhere(_)) => {
                    one(self.touch(entry, file, (Some(from), None), latest, spots))
                }
                (Spot::Elsewhere(_), Spot::In(file, to)) => {
                    one(self.touch(entry, file, (None, Some(to)), latest, spots))
                }
                (Spot::Elsewhere(Loss::OtherMemory), _) | (_, Spot::Elsewhere(Loss::OtherMemory)) => {
                    lost(Loss::OtherMemory)
                }
                (Spot::Elsewhere(_), Spot::Elsewhere(_)) => lost(Loss::Unmapped),
            }
        };
        *slot = Slot {
            from: branch.from.0,
            to: branch.to.0,
            seen: sides[0].seen,
            ..EMPTY
        };
        *known = Known { next, of, loss, sides };
    }

    /// Finds out what the row of a branch in a file is, and makes the branch the newest one there.
    fn touch(
        &mut self,
        Entry { branch, next, .. }: Entry,
        (file, kind): (FileId, BinaryKind),
        ends: Ends,
        latest: &mut Latest,
        spots: &mut Spots,
    ) -> Side {
        // No run of a program follows an entry that BOLT skips, and no run of this file follows a branch out
        // of the file.
        let has_run = ends.1.is_some()
            && next != NO_NEXT
            && !(crosses_kernel(branch.from.0, branch.to.0) && kind == BinaryKind::User);
        let stack_end = match has_run.then(|| spots.find(Avma(next))) {
            Some(Spot::In((of_next, _), end)) if of_next == file => Some(end),
            _ => None,
        };
        let newer = latest.of(file);
        let tails = &mut self.rows.tails;
        let (tail, is_long) = tails.behind(ends, newer.seen);
        let side = Side {
            // The source 0 may also stand for the absence of a branch.
            newer: if is_long && newer.from == next && next != 0 {
                TailId::NONE
            } else {
                newer.seen
            },
            seen: tails.seen_from_behind(kind, ends, tail),
            from: tails.places.number(ends.0),
            to: tails.places.number(ends.1),
            tail,
            stack_end: tails.places.number(stack_end),
            file,
        };
        latest.set(file, side.newest(branch.from.0));
        side
    }

    /// Moves the counts of a slot to the rows. The slot has no counts afterwards.
    pub(crate) fn settle(&mut self, slot: &mut Slot, known: &Known) {
        let counts = std::mem::replace(&mut slot.counts, SmallCounts::NONE);
        if counts.executions() == 0 {
            return;
        }
        if let Some(loss) = known.loss {
            self.tally.add(loss, u64::from(counts.executions()));
        }
        for side in known.sides.iter().filter(|side| side.file != NO_FILE) {
            self.rows.add(CountedRow {
                key: Key {
                    from: side.from,
                    to: side.to,
                    tail: side.tail,
                    stack_end: side.stack_end,
                    file: side.file,
                    event: known.of.event(),
                    crosses_kernel: crosses_kernel(slot.from, slot.to),
                },
                count: counts.executions(),
                mispredicted: counts.mispredictions(),
            });
        }
    }
}
