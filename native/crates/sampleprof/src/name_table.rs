use std::cmp::Ordering;
use std::fmt;
use std::hash::BuildHasher;

use hashbrown::HashTable;
use md5::{Digest, Md5};
use rustc_hash::FxBuildHasher;

/// Index of a name in a [`NameTable`]. Equal ids of one table mean equal names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NameId(pub u32);

impl NameId {
    /// Returns the id as an index into columns that are kept beside the table.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// The name of a function in a profile.
///
/// Names are ordered as in LLVM (`FunctionId::compare`): first GUIDs, by number, then texts, by bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Name<'a> {
    /// The MD5 hash of a name that is not known, because the profile was written with `--use-md5`.
    Guid(u64),
    /// The linkage name, as bytes, because nothing guarantees UTF-8.
    Text(&'a [u8]),
}

impl<'a> Name<'a> {
    /// Returns the GUID by which LLVM identifies the function: the first eight bytes of the MD5 hash of the name, read
    /// as little endian.
    #[must_use]
    pub fn guid(self) -> u64 {
        match self {
            Self::Guid(guid) => guid,
            Self::Text(bytes) => {
                let digest = Md5::digest(bytes);
                u64::from_le_bytes(std::array::from_fn(|i| digest[i]))
            }
        }
    }

    /// Returns the text of the name, or `None` if only the GUID is known.
    #[must_use]
    pub const fn text(self) -> Option<&'a [u8]> {
        match self {
            Self::Guid(_) => None,
            Self::Text(bytes) => Some(bytes),
        }
    }
}

/// Prints the name as text profiles write it: a GUID as a decimal number.
impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Guid(guid) => write!(f, "{guid}"),
            Self::Text(bytes) => f.write_str(&String::from_utf8_lossy(bytes)),
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Entry {
    Guid(u64),
    Text { start: usize, len: usize },
}

/// A table of distinct names, each stored once. Ids are given out in the order of first appearance.
#[derive(Clone, Default)]
pub struct NameTable {
    bytes: Vec<u8>,
    entries: Vec<Entry>,
    /// Ids, hashed by the names that they stand for, so that no name is stored twice.
    index: HashTable<u32>,
}

impl NameTable {
    /// Makes an empty table.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the number of names. Every id is below this number.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Returns true if the table has no names.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Returns true if only the GUIDs of some names are known. Every encoding except extbinary with MD5 names writes
    /// such a GUID as a decimal number, which LLVM then takes for a name.
    #[must_use]
    pub fn has_guids(&self) -> bool {
        self.entries.iter().any(|entry| matches!(entry, Entry::Guid(_)))
    }

    /// Makes room for `names` more names, so that the table does not grow in steps and hash all names again at each
    /// step.
    pub(crate) fn reserve(&mut self, names: usize) {
        let Self { bytes, entries, index } = self;
        entries.reserve(names);
        index.reserve(names, |&id| hash(resolve(bytes, entries[id as usize])));
    }

    /// Returns the id of the name with the text `text`. Adds the name if the table does not have it.
    pub fn intern(&mut self, text: &[u8]) -> NameId {
        self.intern_name(Name::Text(text))
    }

    /// Returns the id of the name of which only `guid` is known. Adds the name if the table does not have it.
    ///
    /// This name is a different name from the text whose hash is `guid`.
    pub fn intern_guid(&mut self, guid: u64) -> NameId {
        self.intern_name(Name::Guid(guid))
    }

    /// Returns the id of `name`, which may come from another table. Adds the name if this table does not have it.
    ///
    /// # Panics
    /// When there are 2^32 names, which take more than 100 GiB.
    pub fn intern_name(&mut self, name: Name<'_>) -> NameId {
        let Self { bytes, entries, index } = self;
        let hash = hash(name);
        let found = index.entry(
            hash,
            |&id| resolve(bytes, entries[id as usize]) == name,
            |&id| self::hash(resolve(bytes, entries[id as usize])),
        );
        let vacant = match found {
            hashbrown::hash_table::Entry::Occupied(found) => return NameId(*found.get()),
            hashbrown::hash_table::Entry::Vacant(vacant) => vacant,
        };
        let id = u32::try_from(entries.len()).expect("fewer than 2^32 names");
        vacant.insert(id);
        entries.push(match name {
            Name::Guid(guid) => Entry::Guid(guid),
            Name::Text(text) => {
                let start = bytes.len();
                bytes.extend_from_slice(text);
                Entry::Text { start, len: text.len() }
            }
        });
        NameId(id)
    }

    /// Returns the id of `name`, or `None` if the table does not have the name.
    #[must_use]
    pub fn find(&self, name: Name<'_>) -> Option<NameId> {
        self.index
            .find(hash(name), |&id| self.get(NameId(id)) == name)
            .map(|&id| NameId(id))
    }

    /// Returns for each name of the table `others` its id in this table. Files of one program have their names mostly
    /// in the same order. So the name after the last one found is compared first, which is cheaper than a search.
    pub(crate) fn find_all(&self, others: &Self) -> Vec<Option<NameId>> {
        let mut next = 0;
        let found = others.entries.iter().map(|&entry| {
            let name = resolve(&others.bytes, entry);
            let follows = self.entries.get(next).filter(|&&own| resolve(&self.bytes, own) == name);
            let id = match follows {
                Some(_) => Some(NameId(next as u32)),
                None => self.find(name),
            };
            if let Some(id) = id {
                next = id.index() + 1;
            }
            id
        });
        found.collect()
    }

    /// Returns the name that `id` stands for.
    ///
    /// # Panics
    /// When `id` is not of this table.
    #[must_use]
    pub fn get(&self, id: NameId) -> Name<'_> {
        resolve(&self.bytes, self.entries[id.index()])
    }

    /// Compares the names that two ids stand for.
    ///
    /// # Panics
    /// When an id is not of this table.
    #[must_use]
    pub fn compare(&self, a: NameId, b: NameId) -> Ordering {
        if a == b {
            Ordering::Equal
        } else {
            self.get(a).cmp(&self.get(b))
        }
    }

    /// Iterates over the names and their ids, in the order of the ids.
    pub fn iter(&self) -> impl Iterator<Item = (NameId, Name<'_>)> {
        self.entries
            .iter()
            .zip(0..)
            .map(|(&entry, id)| (NameId(id), resolve(&self.bytes, entry)))
    }
}

impl fmt::Debug for NameTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.iter().map(|(_, name)| name.to_string()))
            .finish()
    }
}

fn resolve(bytes: &[u8], entry: Entry) -> Name<'_> {
    match entry {
        Entry::Guid(guid) => Name::Guid(guid),
        Entry::Text { start, len } => Name::Text(&bytes[start..start + len]),
    }
}

fn hash(name: Name<'_>) -> u64 {
    FxBuildHasher.hash_one(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_id() {
        let mut table = NameTable::new();
        let foo = table.intern(b"foo");
        let bar = table.intern(b"bar");
        let guid = table.intern_guid(Name::Text(b"foo").guid());
        assert_eq!(table.intern(b"foo"), foo);
        assert_ne!(foo, bar);
        assert_ne!(foo, guid, "a hash is not the name it was made from");
        assert_eq!(table.get(bar), Name::Text(b"bar"));
        assert_eq!(table.find(Name::Text(b"bar")), Some(bar));
        assert_eq!(table.find(Name::Text(b"baz")), None);
        assert_eq!(table.len(), 3);
    }

    #[test]
    fn names_of_another_table_are_found_in_any_order() {
        let (mut all, mut some) = (NameTable::new(), NameTable::new());
        let ids: Vec<_> = [&b"a"[..], b"b", b"c", b"d"].map(|name| all.intern(name)).to_vec();
        for name in [&b"b"[..], b"c", b"new", b"d", b"a"] {
            some.intern(name);
        }
        some.intern_guid(7);
        let wanted = [Some(ids[1]), Some(ids[2]), None, Some(ids[3]), Some(ids[0]), None];
        assert_eq!(all.find_all(&some), wanted);
    }

    #[test]
    fn guid_is_the_low_half_of_md5() {
        // The command `printf main | md5sum` prints fad58de7366495db4650cfefac2fcd61.
        assert_eq!(Name::Text(b"main").guid(), 0xdb95_6436_e78d_d5fa);
    }

    #[test]
    fn guids_sort_before_text() {
        assert!(Name::Guid(u64::MAX) < Name::Text(b""));
        assert!(Name::Guid(9) < Name::Guid(10));
        assert!(Name::Text(b"a") < Name::Text(b"aa"));
        assert!(Name::Text(b"a\x7f") < Name::Text(b"a\x80"));
    }
}
