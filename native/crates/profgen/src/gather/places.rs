//! Addresses in files, each as a number of 32 bits.

use rustc_hash::FxHashMap;

/// The number of a place: of an address in a file, or of the absence of an address. The number itself states most
/// addresses, and then needs no note in [`Places`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct PlaceId(u32);

/// Numbers from here on stand for notes of [`Places`].
const NOTED: u32 = 1 << 31;

impl PlaceId {
    /// Stands for the absence of an address.
    pub(crate) const NONE: Self = Self(0);

    /// Returns all bits of the number.
    #[inline]
    pub(crate) fn bits(self) -> u32 {
        self.0
    }

    /// Returns the index of the note in [`Places`]; `None` if the number itself states the address or its absence.
    #[inline]
    fn note(self) -> Option<usize> {
        self.0.checked_sub(NOTED).map(|note| note as usize)
    }

    fn of_note(note: usize) -> Self {
        let note = u32::try_from(note).ok().filter(|note| *note < NOTED);
        Self(NOTED + note.unwrap_or_else(|| unreachable!("fewer addresses than that are kept")))
    }
}

/// All addresses that are too large for their number to state them. Equal addresses have one number. Files of 2 GiB
/// or more have such addresses.
#[derive(Debug, Default)]
pub(crate) struct Places {
    noted: Vec<u64>,
    numbers: FxHashMap<u64, PlaceId>,
}

impl Places {
    /// Returns the number of an address, or of the absence of an address.
    #[inline]
    pub(crate) fn number(&mut self, address: Option<u64>) -> PlaceId {
        match address {
            None => PlaceId::NONE,
            Some(address) if address < u64::from(NOTED - 1) => PlaceId(address as u32 + 1),
            Some(address) => self.note(address),
        }
    }

    #[cold]
    fn note(&mut self, address: u64) -> PlaceId {
        let Self { noted, numbers } = self;
        *numbers.entry(address).or_insert_with(|| {
            noted.push(address);
            PlaceId::of_note(noted.len() - 1)
        })
    }

    /// Returns the address that a number stands for; `None` if it stands for the absence of an address.
    #[inline]
    pub(crate) fn address(&self, place: PlaceId) -> Option<u64> {
        match place.note() {
            Some(note) => Some(self.noted[note]),
            None => place.0.checked_sub(1).map(u64::from),
        }
    }

    /// Returns the number of notes.
    pub(crate) fn len(&self) -> usize {
        self.noted.len()
    }

    /// Adds the notes of `other`. Returns the number here of each note, which [`adopted`](Self::adopted) needs.
    pub(crate) fn adopt(&mut self, other: &Self) -> Vec<PlaceId> {
        other.noted.iter().map(|address| self.note(*address)).collect()
    }

    /// Returns the number here of a place that has number `place` in the other [`Places`]. `numbers` is the result
    /// of [`adopt`](Self::adopt).
    #[inline]
    pub(crate) fn adopted(place: PlaceId, numbers: &[PlaceId]) -> PlaceId {
        place.note().map_or(place, |note| numbers[note])
    }

    /// Returns the order of the addresses.
    pub(crate) fn order(&self) -> PlaceOrder {
        let mut sorted: Vec<usize> = (0..self.noted.len()).collect();
        sorted.sort_unstable_by_key(|&note| self.noted[note]);
        let mut ranks = vec![PlaceId::NONE; sorted.len()];
        for (rank, note) in sorted.iter().enumerate() {
            ranks[*note] = PlaceId::of_note(rank);
        }
        let places = sorted.into_iter().map(PlaceId::of_note).collect();
        PlaceOrder { ranks, places }
    }
}

/// The order of the addresses of [`Places`].
pub(crate) struct PlaceOrder {
    /// The number of each note if the notes were in ascending order.
    ranks: Vec<PlaceId>,
    /// The number of each note of that order.
    places: Vec<PlaceId>,
}

impl PlaceOrder {
    /// Returns the number that a place would have if numbers were in the order of the addresses. The absence of an
    /// address comes first.
    #[inline]
    pub(crate) fn rank(&self, place: PlaceId) -> PlaceId {
        Places::adopted(place, &self.ranks)
    }

    /// Returns the place for a result of [`rank`](Self::rank).
    #[inline]
    pub(crate) fn place(&self, rank: PlaceId) -> PlaceId {
        Places::adopted(rank, &self.places)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_for_all_addresses_and_keep_their_order() {
        let near = u64::from(NOTED);
        let addresses = [
            None,
            Some(0),
            Some(1),
            Some(near - 2),
            Some(near - 1),
            Some(near),
            Some(1 << 62),
        ];
        let mut places = Places::default();
        // The greatest addresses are noted first.
        let numbers: Vec<PlaceId> = addresses.iter().rev().map(|address| places.number(*address)).collect();
        let found: Vec<Option<u64>> = numbers.iter().rev().map(|place| places.address(*place)).collect();
        assert_eq!(found, addresses);
        assert_eq!(places.len(), 3);
        assert_eq!(places.number(Some(near)), numbers[1]);
        let order = places.order();
        assert!(numbers.is_sorted_by_key(|place| std::cmp::Reverse(order.rank(*place).bits())));
        assert!(numbers.iter().all(|place| order.place(order.rank(*place)) == *place));

        let mut other = Places::default();
        other.number(Some(near + 5));
        let adopted = other.adopt(&places);
        for (place, address) in numbers.iter().rev().zip(addresses) {
            assert_eq!(other.address(Places::adopted(*place, &adopted)), address);
        }
    }
}
