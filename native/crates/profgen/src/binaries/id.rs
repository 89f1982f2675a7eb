//! The id of a binary. All stages of a job identify a binary by its id.

use std::collections::BTreeMap;

/// The id of one binary of a job. Only [`number`] makes ids, so an id always means the same file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct BinaryId(u16);

/// Most binaries that a job can have.
const MOST: usize = u16::MAX as usize;

impl BinaryId {
    /// Returns the id as an index into a list that has a place for each binary of a job; see [`places`].
    #[inline]
    pub(crate) fn index(self) -> usize {
        usize::from(self.0)
    }

    /// Returns any id, for tests of code that only compares ids.
    #[cfg(test)]
    pub(crate) const fn of(number: u16) -> Self {
        Self(number)
    }
}

/// Data about binaries, each under its id. A stage looks up the results of earlier stages by id, never by
/// position. So if binaries fall out or come in another order, no binary gets the data of another.
pub(crate) type ByBinary<T> = BTreeMap<BinaryId, T>;

/// Gives each binary its id, in this order. Returns `None` if there are more than [`MOST`] binaries.
pub(crate) fn number<T>(binaries: Vec<T>) -> Option<ByBinary<T>> {
    (binaries.len() <= MOST).then(|| (0..).map(BinaryId).zip(binaries).collect())
}

/// Returns the number of places of a list that [`BinaryId::index`] indexes for these binaries.
pub(crate) fn places<T>(binaries: &ByBinary<T>) -> usize {
    binaries.keys().next_back().map_or(0, |last| last.index() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_stay_when_a_binary_falls_out() {
        let mut binaries = number(vec!["a", "b", "c"]).expect("few");
        let last = *binaries.last_key_value().expect("three").0;
        binaries.retain(|_, name| *name != "b");
        assert_eq!(binaries[&last], "c");
        assert_eq!(places(&binaries), 3);
        assert_eq!(places(&ByBinary::<()>::new()), 0);
    }

    #[test]
    fn no_more_binaries_than_ids() {
        assert!(number(vec![(); MOST]).is_some());
        assert!(number(vec![(); MOST + 1]).is_none());
    }
}
