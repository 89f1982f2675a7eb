//! Files with a header: header, attrs and features around the data section.

use std::ops::Range;

use crate::attr::{EventAttr, MIN_ATTR_SIZE};
use crate::byte_order::{ByteOrder, nul_terminated};
use crate::error::Error;
use crate::feature::absorb_feature;
use crate::header::{FileHeader, HEADER_LEN, SHORT_HEADER_LEN, Section};
use crate::recording::Recording;
use crate::source::Source;
use crate::stats::{Damage, DamageKind};

/// Number of bytes of an attr that are read. Further bytes belong to a future perf.
const MAX_ATTR_BYTES: u64 = 4096;
/// Number of bytes of a feature section that are read. Real sections are far smaller.
pub(crate) const MAX_FEATURE_BYTES: u64 = 64 << 20;
/// Size in bytes of an entry of the obsolete event_types section: `u64 config, char name[64]`.
const EVENT_TYPE_SIZE: usize = 72;
/// Size in bytes of the offset and size of the ids, which stand after each attr.
const IDS_SECTION_SIZE: u64 = 16;

/// The place of a file's records.
#[derive(Debug)]
pub(crate) struct DataSection {
    pub(crate) range: Range<u64>,
    /// The reason why records are missing, as the header shows. `None` if nothing is missing.
    pub(crate) damage: Option<Damage>,
}

/// Reads everything in a file except its records.
pub(crate) fn open_file(source: &Source, recording: &mut Recording) -> Result<DataSection, Error> {
    let header = read_header(source, recording.order())?;
    read_events(source, &header, recording)?;
    let data = header.data;
    // perf sets the feature bits early. If the size is 0, the sections after the data were never written.
    if data.size == 0 {
        let damage = Damage {
            offset: data.offset,
            kind: DamageKind::NotFinished,
        };
        return Ok(DataSection {
            range: data.offset.min(source.size())..source.size(),
            damage: Some(damage),
        });
    }
    let features_damage = read_features(source, &header, recording)?;
    let wanted_end = data.end();
    let end = wanted_end.min(source.size());
    let missing = wanted_end - end;
    let damage = (missing > 0).then_some(Damage {
        offset: end,
        kind: DamageKind::FileCutOff { missing },
    });
    Ok(DataSection {
        range: data.offset.min(end)..end,
        damage: damage.or(features_damage),
    })
}

/// Reads the header of the file.
pub(crate) fn read_header(source: &Source, order: ByteOrder) -> Result<FileHeader, Error> {
    let mut header = [0; HEADER_LEN as usize];
    let len = source.size().min(HEADER_LEN);
    source.read_exact_at(&mut header[..len as usize], 0)?;
    FileHeader::parse(&header[..len as usize], order).ok_or_else(|| Error::HeaderTooShort {
        name: source.name().to_owned(),
        found: len,
        expected: if order.u64(&header, 8) == Some(SHORT_HEADER_LEN) {
            SHORT_HEADER_LEN
        } else {
            HEADER_LEN
        },
    })
}

/// Reads the events, which stand before the records.
pub(crate) fn read_events(source: &Source, header: &FileHeader, recording: &mut Recording) -> Result<(), Error> {
    check_overlap(source, header)?;
    read_attrs(source, header, recording)?;
    read_event_types(source, header.event_types, recording)
}

fn check_overlap(source: &Source, header: &FileHeader) -> Result<(), Error> {
    let (attrs, data) = (header.attrs, header.data);
    let attrs_end = attrs.end();
    let data_end = if data.size == 0 { source.size() } else { data.end() };
    if data.size != 0 && attrs.offset < data_end && data.offset < attrs_end {
        return Err(Error::AttrsOverlapData {
            name: source.name().to_owned(),
            attrs_offset: attrs.offset,
            attrs_size: attrs.size,
            data_offset: data.offset,
        });
    }
    Ok(())
}

fn out_of_file(source: &Source, section: &'static str, place: Section) -> Error {
    Error::SectionOutOfFile {
        name: source.name().to_owned(),
        section,
        offset: place.offset,
        size: place.size,
        file_size: source.size(),
    }
}

fn read_attrs(source: &Source, header: &FileHeader, recording: &mut Recording) -> Result<(), Error> {
    let order = recording.order();
    let entry_size = header.attr_entry_size;
    let Section { offset, size } = header.attrs;
    if entry_size < u64::from(MIN_ATTR_SIZE) + IDS_SECTION_SIZE {
        return Err(Error::AttrEntrySize {
            name: source.name().to_owned(),
            found: entry_size,
        });
    }
    if header.attrs.end() > source.size() {
        return Err(out_of_file(source, "attr", header.attrs));
    }
    // Arrays of ids must not share bytes. Otherwise a small file could state any number of ids.
    let mut id_bytes_left = source.size();
    for index in 0..size / entry_size {
        let at = offset + index * entry_size;
        let attr_size = entry_size - IDS_SECTION_SIZE;
        let attr = read_section(
            source,
            "attr",
            Section {
                offset: at,
                size: attr_size.min(MAX_ATTR_BYTES),
            },
        )?;
        let ids = read_section(
            source,
            "attr",
            Section {
                offset: at + attr_size,
                size: IDS_SECTION_SIZE,
            },
        )?;
        let (Some(mut attr), Some(place)) = (EventAttr::parse(&attr, order), Section::parse(&ids, 0, order)) else {
            break;
        };
        id_bytes_left = id_bytes_left
            .checked_sub(place.size)
            .ok_or_else(|| out_of_file(source, "event id", place))?;
        let ids = read_section(source, "event id", place)?;
        attr.ids = ids.chunks_exact(8).filter_map(|id| order.u64(id, 0)).collect();
        recording.add_attr(attr);
    }
    if recording.metadata.attrs.is_empty() {
        return Err(Error::NoEvents {
            name: source.name().to_owned(),
        });
    }
    Ok(())
}

fn read_section(source: &Source, name: &'static str, place: Section) -> Result<Vec<u8>, Error> {
    source
        .read_section(place.offset, place.size)?
        .ok_or_else(|| out_of_file(source, name, place))
}

fn read_event_types(source: &Source, place: Section, recording: &mut Recording) -> Result<(), Error> {
    let order = recording.order();
    if place.size > MAX_FEATURE_BYTES {
        return Ok(());
    }
    // This section is obsolete and has only names, so a fault in it is not an error.
    let Some(section) = source.read_section(place.offset, place.size)? else {
        return Ok(());
    };
    for entry in section.chunks_exact(EVENT_TYPE_SIZE) {
        if let Some(config) = order.u64(entry, 0) {
            recording.names.event_type(config, nul_terminated(&entry[8..]));
        }
    }
    Ok(())
}

/// Reads the feature sections. Bits of the header announce them, and a table after the data has their places.
pub(crate) fn read_features(
    source: &Source,
    header: &FileHeader,
    recording: &mut Recording,
) -> Result<Option<Damage>, Error> {
    let order = recording.order();
    let table = header.data.end();
    let mut damage = None;
    for (index, &feature) in header.features.iter().enumerate() {
        let entry = source.read_section(table.saturating_add(16 * index as u64), 16)?;
        let section = match entry.and_then(|entry| Section::parse(&entry, 0, order)) {
            Some(place) if place.size > MAX_FEATURE_BYTES => None,
            Some(place) => source.read_section(place.offset, place.size)?,
            None => None,
        };
        match section {
            Some(section) => absorb_feature(feature, &section, &mut recording.metadata, &mut recording.names),
            None => {
                recording.metadata.unreadable_features.push(feature);
                damage = Some(Damage {
                    offset: source.size(),
                    kind: DamageKind::FeaturesCutOff,
                });
            }
        }
    }
    recording.table();
    Ok(damage)
}
