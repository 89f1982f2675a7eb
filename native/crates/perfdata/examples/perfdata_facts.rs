//! Prints what the reader finds in perf.data files, one JSON object on each line, for comparisons with other readers.
//!
//!     perfdata_facts [--once] FILE...     `-` is standard input; --once reads files in one pass, like streams

#![allow(clippy::print_stdout, reason = "printing is what this program is for")]

use std::fmt::Write as _;
use std::path::Path;

use perfdata::{Change, ChunkBuffer, Error, KERNEL_IMAGE, PerfData, RecordStats};

#[derive(Default)]
struct Facts {
    samples: u64,
    unknown_event: u64,
    malformed: u64,
    branch_samples: u64,
    branch_entries: u64,
    from_sum: u64,
    to_sum: u64,
    flags_sum: u64,
    ip_sum: u64,
    period_sum: u64,
    stats: RecordStats,
    build_ids: Vec<(String, String)>,
}

fn main() -> Result<(), Error> {
    let (options, paths): (Vec<_>, Vec<_>) = std::env::args().skip(1).partition(|arg| arg == "--once");
    for path in paths {
        let mut input = if path == "-" {
            PerfData::from_stdin(std::sync::Arc::default())
        } else {
            PerfData::open(Path::new(&path))
        };
        if let Ok(input) = &mut input
            && !options.is_empty()
        {
            input.read_once();
        }
        match input.and_then(|mut input| gather(&mut input).map(|facts| to_json(&path, &input, &facts))) {
            Ok(json) => println!("{json}"),
            Err(error) => println!(
                "{{\"path\": {}, \"error\": {}}}",
                quote(&path),
                quote(&error.to_string())
            ),
        }
    }
    Ok(())
}

fn gather(input: &mut PerfData) -> Result<Facts, Error> {
    let mut facts = Facts::default();
    let mut buffer = ChunkBuffer::default();
    while let Some(segment) = input.next_segment()? {
        for record in segment.side_records() {
            if let Change::Map(mapping) = &record.change
                && let Some(id) = mapping.file.build_id
            {
                facts.build_ids.push((id.to_string(), mapping.file.name.clone()));
            }
        }
        for chunk in 0..segment.chunk_count() {
            let stats = segment.decode_chunk(chunk, &mut buffer, |sample| {
                facts.ip_sum = facts.ip_sum.wrapping_add(sample.ip.0);
                facts.period_sum = facts.period_sum.wrapping_add(sample.period);
                facts.branch_samples += u64::from(!sample.branches.is_empty());
                facts.branch_entries += sample.branches.len() as u64;
                for branch in sample.branches.iter() {
                    facts.from_sum = facts.from_sum.wrapping_add(branch.from.0);
                    facts.to_sum = facts.to_sum.wrapping_add(branch.to.0);
                    facts.flags_sum = facts.flags_sum.wrapping_add(branch.flags.0);
                }
            })?;
            facts.unknown_event += stats.unknown_event;
            facts.malformed += stats.malformed;
            facts.samples += stats.samples + stats.unknown_event + stats.malformed;
        }
        facts.stats.add(segment.stats());
    }
    let listed = input
        .metadata()
        .build_ids
        .iter()
        .map(|entry| (entry.id.to_string(), entry.name.clone()));
    facts.build_ids.extend(listed);
    for (_, name) in &mut facts.build_ids {
        // The kernel has one name here, whatever symbol its mapping is anchored at.
        if name.starts_with(KERNEL_IMAGE) {
            KERNEL_IMAGE.clone_into(name);
        }
    }
    facts.build_ids.sort();
    facts.build_ids.dedup();
    Ok(facts)
}

fn to_json(path: &str, input: &PerfData, facts: &Facts) -> String {
    let metadata = input.metadata();
    let endian = match metadata.byte_order {
        perfdata::ByteOrder::Little => "little",
        perfdata::ByteOrder::Big => "big",
    };
    let events: Vec<String> = metadata.attrs.iter().map(|attr| quote(&attr.label())).collect();
    let build_ids: Vec<String> = facts
        .build_ids
        .iter()
        .map(|(id, name)| format!("[{}, {}]", quote(id), quote(name)))
        .collect();
    let damage = facts
        .stats
        .damage
        .map_or("null".to_owned(), |damage| quote(&damage.to_string()));
    format!(
        "{{\"path\": {}, \"samples\": {}, \"mmaps\": {}, \"branchSamples\": {}, \"branchEntries\": {}, \
         \"branchFromSum\": \"{:016x}\", \"branchToSum\": \"{:016x}\", \"branchFlagsSum\": \"{:016x}\", \
         \"ipSum\": \"{:016x}\", \"periodSum\": {}, \"unknownEvent\": {}, \"malformed\": {}, \
         \"lostRecords\": {}, \"lostSamples\": {}, \"events\": [{}], \"buildIds\": [{}], \
         \"endian\": \"{endian}\", \"pipe\": {}, \"complete\": {}, \"damage\": {damage}}}",
        quote(path),
        facts.stats.samples(),
        facts.stats.mmaps(),
        facts.branch_samples,
        facts.branch_entries,
        facts.from_sum,
        facts.to_sum,
        facts.flags_sum,
        facts.ip_sum,
        facts.period_sum,
        facts.unknown_event,
        facts.malformed,
        facts.stats.lost_records,
        facts.stats.lost_samples,
        events.join(", "),
        build_ids.join(", "),
        metadata.pipe,
        facts.stats.complete(),
    )
}

fn quote(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c < ' ' => write!(out, "\\u{:04x}", c as u32).unwrap_or_default(),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
