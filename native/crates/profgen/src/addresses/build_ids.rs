//! The build ids of mapped files, as a recording states them.

use perfdata::{BuildId, Change, Mapping, Metadata, SideRecord, image_name};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::addresses::binding::is_no_file;

/// The build ids of files by name. They tell the build of a mapping that has no build id in its own record: first the
/// tables of the recording, then other mappings of the same name, if all of these have the same build id. The kernel
/// leaves a build id out of a record if the page with it is not in memory at that moment. Without the others, a file
/// would then count as two files.
#[derive(Debug, Default)]
pub(crate) struct BuildIds {
    listed: FxHashMap<String, BuildId>,
    /// The build id that mappings of a name have; `None` if they have different ones.
    mapped: FxHashMap<String, Option<BuildId>>,
    /// Names of mappings without a build id.
    lacking: FxHashSet<String>,
}

impl BuildIds {
    /// Takes note of the records of a segment. Returns true if they may change the build id of an earlier mapping.
    pub(crate) fn extend(&mut self, records: &[SideRecord], metadata: &Metadata) -> bool {
        let known = self.listed.len();
        let listed = metadata.build_ids.iter();
        self.listed.extend(listed.map(|entry| (entry.name.clone(), entry.id)));
        let mut changes = self.listed.len() != known;
        for record in records {
            if let Change::Map(mapping) = &record.change {
                changes |= self.note(mapping);
            }
        }
        changes
    }

    fn note(&mut self, mapping: &Mapping) -> bool {
        let name = mapping.file.name.as_str();
        if !mapping.executable || mapping.cpumode.is_guest() || is_no_file(name) {
            return false;
        }
        let Some(id) = mapping.file.build_id else {
            if !self.lacking.contains(name) {
                self.lacking.insert(name.to_owned());
            }
            return false;
        };
        match self.mapped.get_mut(name) {
            Some(known) if known.is_none_or(|known| known == id) => return false,
            Some(known) => *known = None,
            None => {
                self.mapped.insert(name.to_owned(), Some(id));
            }
        }
        self.lacking.contains(name)
    }

    /// Forgets the mappings that are not among `present`.
    pub(crate) fn keep<'m>(&mut self, present: impl Iterator<Item = &'m Mapping>) {
        self.mapped.clear();
        self.lacking.clear();
        for mapping in present {
            self.note(mapping);
        }
    }

    /// Returns the build id of a mapping's file; `None` if it is not known.
    pub(crate) fn of(&self, mapping: &Mapping) -> Option<BuildId> {
        let name = mapping.file.name.as_str();
        let listed = || self.listed.get(image_name(name)).copied();
        let of_others = || self.mapped.get(name).copied().flatten();
        mapping.file.build_id.or_else(listed).or_else(of_others)
    }
}
