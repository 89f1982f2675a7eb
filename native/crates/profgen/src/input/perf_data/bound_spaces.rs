//! The address spaces of one recording, and the content of their mappings.

use std::collections::BTreeSet;
use std::sync::Arc;

use job::Error;
use perfdata::{AddressSpaces, BuildId, CpuMode, MapId, Mapping, Metadata, Segment, SideRecord};
use rustc_hash::FxHashMap;

use crate::addresses::binding::{Binding, bind, recognize};
use crate::addresses::build_ids::BuildIds;
use crate::addresses::load_address::{GlobalBase, is_of_target};
use crate::binaries::id::BinaryId;
use crate::binaries::target::Targets;
use crate::request::options::GenerateOptions;

/// The address spaces of one input, and the content of their mappings.
pub(crate) struct BoundSpaces {
    pub spaces: AddressSpaces,
    /// Content of each mapping, by group and mapping id.
    pub bindings: Vec<Vec<Binding>>,
    build_ids: BuildIds,
    /// Pairs of targets that the recording does not tell apart. The first target of each pair gets the
    /// samples.
    pub rivals: BTreeSet<(BinaryId, BinaryId)>,
    /// The mappings in their order, if one load address is made of them or if they are to be shown.
    pub records: Vec<SideRecord>,
}

impl BoundSpaces {
    pub(crate) fn new(groups: usize) -> Self {
        Self {
            spaces: AddressSpaces::default(),
            bindings: vec![Vec::new(); groups],
            build_ids: BuildIds::default(),
            rivals: BTreeSet::new(),
            records: Vec::new(),
        }
    }

    /// Follows the changes of a segment. Returns true if a mapping before this segment would have been taken
    /// for another file, had all build ids been known then.
    pub(crate) fn extend(
        &mut self,
        segment: &Segment,
        metadata: &Metadata,
        groups: &[Targets<'_>],
        options: &GenerateOptions,
    ) -> bool {
        self.spaces.extend(segment.side_records());
        if !options.policy.own_mappings || options.show_mmap_events {
            self.records.extend_from_slice(segment.side_records());
        }
        let changes = self.build_ids.extend(segment.side_records(), metadata);
        let mut rewritten = false;
        for (group, targets) in groups.iter().enumerate() {
            // Many mappings belong to few files, and there may be many targets.
            let mut recognized = FxHashMap::default();
            let mut bind = |(_, mapping): (MapId, &Mapping)| {
                if !mapping.executable {
                    return Binding::Other;
                }
                let recognized = recognized
                    .entry((Arc::as_ptr(&mapping.file), mapping.cpumode == CpuMode::Kernel))
                    .or_insert_with(|| {
                        let recorded = self.build_id_of(mapping).filter(|_| options.policy.build_ids);
                        recognize(mapping, recorded.as_ref(), targets, options.ignore_build_id)
                    });
                let binding = recognized.as_ref().map(|found| bind(mapping, found, targets));
                binding.unwrap_or(Binding::Other)
            };
            let bound = &self.bindings[group];
            if changes {
                let mappings = self.spaces.mappings().map(&mut bind).take(bound.len());
                rewritten |= !mappings.eq(bound.iter().cloned());
            }
            let new: Vec<_> = self.spaces.mappings().skip(bound.len()).map(bind).collect();
            let rivals = recognized.values().flatten();
            self.rivals
                .extend(rivals.filter_map(|found| Some((found.target, found.rival?))));
            self.bindings[group].extend(new);
        }
        rewritten
    }

    pub(crate) fn build_id_of(&self, mapping: &Mapping) -> Option<BuildId> {
        self.build_ids.of(mapping)
    }

    pub(crate) fn global_base(
        &self,
        targets: &Targets<'_>,
        options: &GenerateOptions,
    ) -> Result<Option<GlobalBase>, Error> {
        if options.policy.own_mappings {
            return Ok(None);
        }
        let is_of_target = |mapping: &Mapping| {
            let recorded = self.build_id_of(mapping);
            is_of_target(mapping, recorded.as_ref(), targets, options)
        };
        GlobalBase::new(&self.records, targets.first(), &options.select.pids, is_of_target).map(Some)
    }
}
