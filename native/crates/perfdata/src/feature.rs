//! Feature sections: recorded facts about the machine, perf and the events (perf: tools/perf/util/header.c).

use crate::attr::EventAttr;
use crate::build_id::BuildIdEntry;
use crate::byte_order::{ByteOrder, Fields};
use crate::event_names::EventNames;
use crate::metadata::Metadata;

/// Numbers of features, which are also the numbers of their bits in the header's bitmap.
mod number {
    pub(super) const BUILD_ID: u32 = 2;
    pub(super) const HOSTNAME: u32 = 3;
    pub(super) const OSRELEASE: u32 = 4;
    pub(super) const VERSION: u32 = 5;
    pub(super) const ARCH: u32 = 6;
    pub(super) const NRCPUS: u32 = 7;
    pub(super) const CPUDESC: u32 = 8;
    pub(super) const CPUID: u32 = 9;
    pub(super) const CMDLINE: u32 = 11;
    pub(super) const EVENT_DESC: u32 = 12;
    pub(super) const SAMPLE_TIME: u32 = 21;
    pub(super) const COMPRESSED: u32 = 27;
    pub(super) const CPU_PMU_CAPS: u32 = 28;
    pub(super) const PMU_CAPS: u32 = 31;
}

/// Reads a feature section into the metadata. Unknown features are noted and otherwise ignored.
pub(crate) fn absorb_feature(number: u32, section: &[u8], metadata: &mut Metadata, names: &mut EventNames) {
    if !metadata.features.contains(&number) && number < 256 {
        metadata.features.push(number);
    }
    let readable = parse(number, section, metadata, names).is_some();
    if !readable && !metadata.unreadable_features.contains(&number) {
        metadata.unreadable_features.push(number);
    }
}

fn parse(number: u32, section: &[u8], metadata: &mut Metadata, names: &mut EventNames) -> Option<()> {
    let order = metadata.byte_order;
    let mut fields = Fields::new(section, order);
    // Some perf versions leave the section of a string empty when they could not find the string out.
    let mut string = || {
        if section.is_empty() {
            Some(None)
        } else {
            fields.string().map(Some)
        }
    };
    match number {
        number::HOSTNAME => metadata.hostname = string()?,
        number::OSRELEASE => metadata.os_release = string()?,
        number::VERSION => metadata.perf_version = string()?,
        number::ARCH => metadata.arch = string()?,
        number::CPUDESC => metadata.cpu_description = string()?,
        number::CPUID => metadata.cpu_id = string()?,
        number::NRCPUS => metadata.cpus = Some((fields.u32()?, fields.u32()?)),
        number::SAMPLE_TIME => metadata.sample_time = Some((fields.u64()?, fields.u64()?)),
        number::COMPRESSED => metadata.compressed = true,
        number::CMDLINE => metadata.command_line = parse_strings(fields)?,
        number::BUILD_ID => metadata.build_ids.extend(BuildIdEntry::parse_section(section, order)),
        number::EVENT_DESC => parse_event_desc(fields, order, names)?,
        number::CPU_PMU_CAPS => {
            let pairs = parse_pairs(&mut fields)?;
            metadata
                .pmu_capabilities
                .extend(pairs.into_iter().map(|(name, value)| (String::new(), name, value)));
        }
        number::PMU_CAPS => {
            for _ in 0..fields.u32()? {
                let pairs = parse_pairs(&mut fields)?;
                let pmu = fields.string()?;
                metadata
                    .pmu_capabilities
                    .extend(pairs.into_iter().map(|(name, value)| (pmu.clone(), name, value)));
            }
        }
        _ => {}
    }
    Some(())
}

fn parse_strings(mut fields: Fields<'_>) -> Option<Vec<String>> {
    (0..fields.u32()?).map(|_| fields.string()).collect()
}

fn parse_pairs(fields: &mut Fields<'_>) -> Option<Vec<(String, String)>> {
    (0..fields.u32()?)
        .map(|_| Some((fields.string()?, fields.string()?)))
        .collect()
}

/// Reads u32 number of events and u32 attr size, then for each event: the attr, u32 number of ids, the name, the ids.
fn parse_event_desc(mut fields: Fields<'_>, order: ByteOrder, names: &mut EventNames) -> Option<()> {
    let count = fields.u32()?;
    let attr_size = u64::from(fields.u32()?);
    names.begin_description();
    for _ in 0..count {
        let mut attr = EventAttr::parse(fields.bytes(attr_size)?, order)?;
        let ids = u64::from(fields.u32()?);
        attr.name = Some(fields.string()?);
        let ids = fields.bytes(ids.checked_mul(8)?)?;
        attr.ids = ids.chunks_exact(8).filter_map(|id| order.u64(id, 0)).collect();
        names.describe(attr);
    }
    Some(())
}
