use std::cmp::Ordering;
use std::fmt;
use std::hash::BuildHasher;

use hashbrown::HashTable;
use md5::{Digest, Md5};
use rustc_hash::FxBuildHasher;

/// Index of a name in a [`NameTable`]; equal ids of one table mean equal names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NameId(pub u32);

impl NameId {
    /// The id as an index into columns kept beside the table.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// A function's name as a profile knows it.
///
/// The order is LLVM's (`FunctionId::compare`): GUIDs by number, before any text; text by bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Name<'a> {
    /// Only the hash is known: the profile was written with `--use-md5`.
    Guid(u64),
    /// The linkage name. Bytes, because nothing guarantees UTF-8.
    Text(&'a [u8]),
}

impl<'a> Name<'a> {
    /// What LLVM identifies the function by: the first eight bytes, read as little endian, of the name's MD5.
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

    /// The text, if it is known.
    #[must_use]
    pub const fn text(self) -> Option<&'a [u8]> {
        match self {
            Self::Guid(_) => None,
            Self::Text(bytes) => Some(bytes),
        }
    }
}

/// As text profiles write it: a GUID is its decimal number.
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

/// Distinct names, each stored once; ids are given out in order of first appearance.
#[derive(Clone, Default)]
pub struct NameTable {
    bytes: Vec<u8>,
    entries: Vec<Entry>,
    /// Ids, hashed by the name they stand for, so that no name is stored twice.
    index: HashTable<u32>,
}

impl NameTable {
    /// An empty table.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many names there are; ids are below it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are no names.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether only the GUIDs of some names are known. Any encoding but extbinary with MD5 names writes them as decimal
    /// numbers, which LLVM then takes for names.
    #[must_use]
    pub fn has_guids(&self) -> bool {
        self.entries.iter().any(|entry| matches!(entry, Entry::Guid(_)))
    }

    /// Makes room for so many more names, so that the table does not grow in steps and hash all names in each.
    pub(crate) fn reserve(&mut self, names: usize) {
        let Self { bytes, entries, index } = self;
        entries.reserve(names);
        index.reserve(names, |&id| hash(resolve(bytes, entries[id as usize])));
    }

    /// The id of the name spelled `text`.
    pub fn intern(&mut self, text: &[u8]) -> NameId {
        self.intern_name(Name::Text(text))
    }

    /// The id of the name of which only `guid` is known.
    ///
    /// It is another name than the text that hashes to `guid`.
    pub fn intern_guid(&mut self, guid: u64) -> NameId {
        self.intern_name(Name::Guid(guid))
    }

    /// The id of `name`, which may come from another table.
    ///
    /// # Panics
    /// When there are 2^32 names, which would have taken more than 100 GiB by then.
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

    /// The id of `name`, if it is in the table.
    #[must_use]
    pub fn find(&self, name: Name<'_>) -> Option<NameId> {
        self.index
            .find(hash(name), |&id| self.get(NameId(id)) == name)
            .map(|&id| NameId(id))
    }

    /// The ids of the names of another table that are in this one. Where both have names in the same order, as files of one program have,
    /// most names are the next one after the last that was found, which takes a comparison instead of a search.
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

    /// The name that `id` stands for.
    ///
    /// # Panics
    /// When `id` is not of this table.
    #[must_use]
    pub fn get(&self, id: NameId) -> Name<'_> {
        resolve(&self.bytes, self.entries[id.index()])
    }

    /// The order of the names that two ids stand for.
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

    /// Every name with its id, in order of ids.
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
        // printf main | md5sum = fad58de7366495db4650cfefac2fcd61
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
