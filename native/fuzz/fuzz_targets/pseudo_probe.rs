//! Decodes the sections of pseudo probes. The first byte chooses between descriptors and probes, and how probes are
//! decoded. The function that a section begins with has a known start.
#![no_main]

use elf::Svma;
use libfuzzer_sys::fuzz_target;
use pseudoprobe::{Descriptors, Guid, MAX_INLINE_DEPTH, ProbeTable, Selection, UnknownStart};

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, section)) = bytes.split_first() else {
        return;
    };
    if choice & 1 != 0 {
        let _ = Descriptors::parse([section]).map(|descriptors| descriptors.iter().len());
        return;
    }
    let first = section.first_chunk().map(|bytes| Guid(u64::from_le_bytes(*bytes)));
    let starts = first.map(|guid| (guid, Svma(0x1000))).into_iter().collect();
    let functions = first.into_iter().collect();
    let selection = Selection {
        starts: &starts,
        functions: (choice & 2 != 0).then_some(&functions),
        unknown_start: if choice & 4 != 0 {
            UnknownStart::Skip
        } else {
            UnknownStart::FollowPrevious
        },
    };
    let Ok(table) = ProbeTable::decode([section], &selection) else {
        return;
    };
    // A probe takes at least three bytes, a function at least ten.
    assert!(table.probes().len() <= section.len() / 3 && table.node_count() <= section.len() / 10);
    assert!(table.probes().is_sorted_by_key(|probe| probe.address));
    for probe in table.probes() {
        assert!(table.callers(probe.node).count() <= MAX_INLINE_DEPTH);
        assert!(table.at(probe.address).contains(probe));
    }
});
